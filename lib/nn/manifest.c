/* manifest: what a checkpoint's files must hash to. */
#include "nn/ckpt.h"
#include <dirent.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK (64ull << 20)

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

typedef struct {
    char **v;
    size_t n, cap;
} names;

/* The files of a folder but MANIFEST, and those of its folders, their names behind `front`. */
static int add_files(const char *dir, const char *front, names *l)
{
    DIR *d = opendir(dir);
    lm_buf path = {0}, name = {0};
    int err = 0;

    if (!d)
        return lm_err_sys(dir, "cannot read");
    for (struct dirent *e; !err && (e = readdir(d));) {
        struct stat st;

        if (e->d_name[0] == '.' || !strcmp(e->d_name, "MANIFEST"))
            continue;
        path.n = name.n = 0;
        lm_buf_addf(&path, "%s/%s", dir, e->d_name);
        lm_buf_addf(&name, "%s%s", front, e->d_name);
        if (!lstat(path.p, &st) && S_ISDIR(st.st_mode)) {
            lm_buf_addc(&name, '/');
            lm_buf_addc(&name, 0);
            err = add_files(path.p, name.p, l);
            continue;
        }
        LM_GROW(l->v, l->n, l->cap);
        l->v[l->n++] = lm_strdup(name.p);
    }
    closedir(d);
    lm_buf_free(&path);
    lm_buf_free(&name);
    return err;
}

/* All of them by name; free each, then the list. */
static int files_of(const char *dir, char ***v, size_t *n)
{
    names l = {0};
    int err = add_files(dir, "", &l);

    if (l.n)
        qsort(l.v, l.n, sizeof *l.v, by_name);
    *v = l.v;
    *n = l.n;
    return err;
}

static void free_list(char **v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(v[i]);
    free(v);
}

int lm_manifest_write(const char *dir)
{
    lm_buf out = {0}, path = {0};
    char **v;
    size_t n;
    int err = files_of(dir, &v, &n);

    for (size_t i = 0; !err && i < n; i++) {
        lm_str m;

        path.n = 0;
        lm_buf_addf(&path, "%s/%s", dir, v[i]);
        if ((err = lm_mmap_file(path.p, &m)))
            break;
        for (uint64_t at = 0; at < m.n || !at; at += CHUNK) {
            uint64_t len = m.n - at < CHUNK ? m.n - at : CHUNK;
            char hex[33];

            lm_id_hex(lm_hash128(m.n ? m.p + at : "", len), hex);
            lm_buf_addf(&out, "%s %" PRIu64 " %" PRIu64 " %s\n", hex, at, len, v[i]);
        }
        lm_munmap_file(m);
    }
    free_list(v, n);
    if (!err)
        err = lm_write_file(dir, "MANIFEST", lm_buf_str(&out));
    lm_buf_free(&out);
    lm_buf_free(&path);
    return err;
}

/* The walk through a MANIFEST: the file whose lines are being read, and all that were named. */
typedef struct {
    const char *dir;
    int (*bad)(void *ctx, const lm_damage *d);
    void *ctx;
    char *name; /* NULL: none yet */
    lm_str map;
    int open_err;         /* of name */
    uint64_t listed, cut; /* bytes by MANIFEST; where the part begins that the file ends in */
    lm_dict seen;
    lm_buf path;
} walk;

static int tell(const walk *w, const char *file, int err, uint64_t from, uint64_t to,
                const char *what)
{
    lm_damage d = {file, err, from, to, w->listed, what};

    return w->bad(w->ctx, &d);
}

/* The file is done with: is it there, and as long as all its lines together? */
static int finish(walk *w)
{
    char what[80];
    int err = 0;

    if (!w->name)
        return 0;
    if (w->open_err == LM_EMISSING)
        err = tell(w, w->name, LM_EMISSING, 0, w->listed, "listed in MANIFEST, but not there");
    else if (w->map.n < w->listed) {
        snprintf(what, sizeof what, "ends at byte %zu of %" PRIu64, w->map.n, w->listed);
        err = tell(w, w->name, LM_ETRUNC, w->cut, w->listed, what);
    } else if (w->map.n > w->listed) {
        snprintf(what, sizeof what, "%" PRIu64 " bytes more than MANIFEST lists",
                 (uint64_t)w->map.n - w->listed);
        err = tell(w, w->name, LM_ECORRUPT, w->listed, w->map.n, what);
    }
    lm_munmap_file(w->map);
    w->map = (lm_str){NULL, 0};
    free(w->name);
    w->name = NULL;
    return err;
}

static int begin(walk *w, lm_str name)
{
    int err = finish(w);

    if (err)
        return err;
    w->name = lm_strndup(name);
    w->listed = w->cut = 0;
    w->path.n = 0;
    lm_buf_addf(&w->path, "%s/%s", w->dir, w->name);
    w->open_err = lm_mmap_file(w->path.p, &w->map);
    if (w->open_err && access(w->path.p, F_OK))
        return w->open_err = LM_EMISSING, 0;
    return w->open_err;
}

/* A part of the file: the next one, or the line is wrong: false. */
static bool part(walk *w, uint64_t off, uint64_t len, lm_id want, int *err)
{
    char what[80];

    if (off != w->listed || len > CHUNK || (off && off % CHUNK) || (off && !len))
        return false;
    w->listed += len;
    if (w->open_err || off + len > w->map.n) {
        if (off <= w->map.n)
            w->cut = off;
        return true;
    }
    if (lm_id_cmp(lm_hash128(len ? w->map.p + off : "", len), want)) {
        snprintf(what, sizeof what, "bytes %" PRIu64 "-%" PRIu64 " are not what was written", off,
                 off + (len ? len - 1 : 0));
        *err = tell(w, w->name, LM_ECORRUPT, off, off + len, what);
    }
    lm_mmap_drop(w->map, off, off + len);
    return true;
}

/* A path that stays within its folder: no part of it is empty or begins with a dot. */
static bool inside(lm_str name)
{
    for (size_t i = 0; i < name.n; i++)
        if ((!i || name.p[i - 1] == '/') && (name.p[i] == '/' || name.p[i] == '.'))
            return false;
    return name.n && name.p[name.n - 1] != '/';
}

/* One line `xxh128 offset length file` without its LF. */
static int line(walk *w, uint64_t at, lm_str s)
{
    lm_str f[3], name = s;
    uint64_t off, len;
    lm_id want;
    bool ok = true;
    int err = 0;

    for (int i = 0; ok && i < 3; i++) {
        const char *sp = name.n ? memchr(name.p, ' ', name.n) : NULL;

        if (!(ok = sp != NULL))
            break;
        f[i] = (lm_str){name.p, (size_t)(sp - name.p)};
        name = (lm_str){sp + 1, name.n - f[i].n - 1};
    }
    ok = ok && f[0].n == 32 && lm_id_parse(f[0], &want) && lm_parse_u64(f[1], &off) &&
         lm_parse_u64(f[2], &len) && inside(name) && !memchr(name.p, 0, name.n);
    if (ok && !(w->name && lm_is(name, w->name))) {
        uint64_t *again = lm_dict_put(&w->seen, name, 0);

        ok = !(*again)++;
        if (ok && (err = begin(w, name)))
            return err;
    }
    if (ok)
        ok = part(w, off, len, want, &err);
    return ok ? err : tell(w, "MANIFEST", LM_ECORRUPT, at, at + s.n, "bad line");
}

/* Files that no line names. */
static int unlisted(walk *w)
{
    char **v;
    size_t n;
    int err = files_of(w->dir, &v, &n);

    w->listed = 0;
    for (size_t i = 0; !err && i < n; i++) {
        struct stat st = {0};

        if (lm_dict_get(&w->seen, lm_cstr(v[i])))
            continue;
        w->path.n = 0;
        lm_buf_addf(&w->path, "%s/%s", w->dir, v[i]);
        (void)!stat(w->path.p, &st);
        err = tell(w, v[i], LM_EMISMATCH, 0, (uint64_t)st.st_size, "not listed in MANIFEST");
    }
    free_list(v, n);
    return err;
}

int lm_manifest_each(const char *dir, int (*bad)(void *ctx, const lm_damage *d), void *ctx)
{
    walk w = {.dir = dir, .bad = bad, .ctx = ctx};
    lm_buf path = {0}, b = {0};
    int err, end;

    lm_buf_addf(&path, "%s/MANIFEST", dir);
    err = lm_read_file(path.p, &b, 64 << 20);
    if (err && access(path.p, F_OK)) {
        err = tell(&w, "MANIFEST", LM_EMISSING, 0, 0, "a checkpoint without MANIFEST");
    } else if (!err) {
        for (size_t at = 0; !err && at < b.n;) {
            const char *lf = memchr(b.p + at, '\n', b.n - at);
            size_t n = lf ? (size_t)(lf - b.p) - at : b.n - at;

            if (lf)
                err = line(&w, at, (lm_str){b.p + at, n});
            at += n + 1;
        }
        end = finish(&w);
        err = err ? err : end;
        if (!err && (!b.n || b.p[b.n - 1] != '\n'))
            err = tell(&w, "MANIFEST", LM_ETRUNC, b.n, b.n, "cut");
        if (!err)
            err = unlisted(&w);
    }
    lm_dict_free(&w.seen);
    lm_buf_free(&w.path);
    lm_buf_free(&path);
    lm_buf_free(&b);
    return err;
}

/* Without these there is no checkpoint: a MANIFEST cut at the end of a line would else be as good
   as a whole one. */
static bool vital(const char *name)
{
    static const char *const file[] = {"config.json", "model.safetensors", "state.json",
                                       "train.safetensors"};

    for (size_t i = 0; i < LM_COUNT(file); i++)
        if (!strcmp(file[i], name))
            return true;
    return false;
}

static int first(void *dir, const lm_damage *d)
{
    lm_buf path = {0};
    int err = d->err;

    if (err == LM_EMISMATCH) { /* what was laid beside is not the checkpoint's */
        if (!vital(d->file))
            return 0;
        err = LM_ECORRUPT;
    }
    lm_buf_addf(&path, "%s/%s", (const char *)dir, d->file);
    lm_err_at(err, path.p, "%s", d->what);
    lm_buf_free(&path);
    return err;
}

int lm_manifest_check(const char *dir)
{
    return lm_manifest_each(dir, first, (void *)(uintptr_t)dir);
}
