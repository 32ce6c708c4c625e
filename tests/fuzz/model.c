/* Fuzz target: any bytes as the files of a model's directory: config.json, weights in one file or
   in several behind an index, state.json. What is taken can be read to its last value, is the same
   read in both ways, and is the same after it was saved. A line "@@X" begins a file: c config.json,
   w model.safetensors, i its index, s state.json, 0 and 1 part-0.safetensors and
   part-1.safetensors. */
#include "nn/about.h"
#include "nn/nn.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static char root[32], dir[40], saved[40];

static void gone(void)
{
    lm_rmtree(root);
}

static void make(void)
{
    snprintf(root, sizeof root, "%s/lm-fuzz-model.XXXXXX",
             access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    if (!mkdtemp(root))
        abort();
    atexit(gone);
    snprintf(dir, sizeof dir, "%s/in", root);
    snprintf(saved, sizeof saved, "%s/out", root);
    if (mkdir(dir, 0700) || mkdir(saved, 0700))
        abort();
}

/* The files of the bytes; those that they do not hold are not there. */
static void lay(const char *p, size_t n)
{
    static const struct {
        char key;
        const char *name;
    } file[] = {{'c', "config.json"},        {'w', "model.safetensors"},
                {'s', "state.json"},         {'i', "model.safetensors.index.json"},
                {'0', "part-0.safetensors"}, {'1', "part-1.safetensors"}};

    for (size_t f = 0; f < LM_COUNT(file); f++) {
        char mark[] = {'@', '@', file[f].key, '\n'}, path[96];
        const char *at = memmem(p, n, mark, 4), *end, *next;
        int fd;

        snprintf(path, sizeof path, "%s/%s", dir, file[f].name);
        if (!at) {
            unlink(path);
            continue;
        }
        at += 4;
        end = p + n;
        for (next = at; next + 4 <= end && !(next[0] == '@' && next[1] == '@' && next[3] == '\n');)
            next++;
        if (next + 4 <= end)
            end = next;
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0 || lm_write_all(fd, at, (size_t)(end - at)) || close(fd))
            abort();
    }
}

static void refused(int err)
{
    const lm_error *e = lm_last_error();

    if (err != e->err || !e->where[0] || !e->detail[0]) /* which file, and what is wrong */
        abort();
}

/* Each tensor is one of the files', from its first byte to its last. */
static void within(const lm_model *m)
{
    for (size_t i = 0; i < m->nf; i++) {
        const lm_ftensor *f = &m->f[i];
        const lm_st_tensor *t = NULL;

        for (size_t k = 0; k < m->nfile && (!t || t->data != f->src); k++)
            for (size_t j = 0; (t = lm_st_at(m->file[k], j)) && t->data != f->src;)
                j++;
        if (!t || t->dt != f->dt || t->bytes != f->n * lm_dtype_size(f->dt))
            abort();
    }
}

/* Mapped and in memory a model has the same values. */
static void same_values(const lm_model *map, const lm_model *own)
{
    if (map->nt != own->nt || map->n != own->n)
        abort();
    for (size_t i = 0; i < map->nt; i++) {
        const lm_tensor *t = &map->t[i];
        float *v = lm_alloc(t->n * sizeof *v);

        lm_model_f32(map, t, 0, t->n, v);
        if (memcmp(v, own->w + own->t[i].off, t->n * sizeof *v))
            abort();
        free(v);
    }
}

static void same_again(const lm_model *m)
{
    lm_cfgdiff d[LM_CFG_DIFFS];
    lm_model *back;
    lm_id a, b;

    if (lm_model_save(m, saved) < 0 || lm_model_load(&back, saved, -1, 0) < 0)
        abort();
    lm_model_id(m, &a);
    lm_model_id(back, &b);
    if (lm_id_cmp(a, b) || lm_cfg_diff(&m->cfg, &back->cfg, d))
        abort();
    lm_model_free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    lm_about a = {.path = dir};
    lm_model *map, *own;
    json_t *state;
    int err;

    if (!*root)
        make();
    lay((const char *)p, n);
    if ((err = lm_about_state(&a, &state)) < 0)
        refused(err);
    json_decref(state);
    if ((err = lm_about_sizes(&a)) < 0)
        refused(err);
    if ((err = lm_model_load(&map, dir, -1, 0)) < 0) {
        refused(err);
        return 0;
    }
    within(map);
    if (lm_model_load(&own, dir, -1, LM_MODEL_RW) < 0 || a.params < map->n)
        abort();
    same_values(map, own);
    same_again(map);
    lm_model_free(own);
    lm_model_free(map);
    return 0;
}
