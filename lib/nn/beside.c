/* beside: the files that lie beside a model's weights and travel with them. */
#include "nn/ckpt.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int copy(const char *from, const char *to)
{
    lm_str m;
    int fd, err = lm_mmap_file(from, &m);

    if (err)
        return err;
    fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || lm_write_all(fd, m.n ? m.p : "", m.n) || fsync(fd))
        err = lm_err_sys(to, "cannot write");
    if (fd >= 0 && close(fd) && !err)
        err = lm_err_sys(to, "cannot write");
    lm_munmap_file(m);
    return err;
}

int lm_tokenizer_copy(const char *tok, const char *dir)
{
    static const char *const name[] = {"tokenizer.json", "tokenizer_config.json",
                                       "special_tokens_map.json", "added_tokens.json",
                                       "chat_template.jinja"};
    lm_buf from = {0}, to = {0};
    struct stat st;
    bool alone = !stat(tok, &st) && !S_ISDIR(st.st_mode);
    int err = 0;

    for (size_t i = 0; !err && i < (alone ? 1 : LM_COUNT(name)); i++) {
        from.n = to.n = 0;
        lm_buf_addf(&from, "%s%s%s", tok, alone ? "" : "/", alone ? "" : name[i]);
        lm_buf_addf(&to, "%s/%s", dir, name[i]);
        if (access(from.p, F_OK)) {
            if (!i)
                err = lm_err_sys(from.p, "cannot read");
            continue;
        }
        err = copy(from.p, to.p);
    }
    lm_buf_free(&from);
    lm_buf_free(&to);
    return err;
}

int lm_tokenizer_hash(const char *dir, char out[33])
{
    lm_buf path = {0};
    lm_str m;
    int err;

    lm_buf_addf(&path, "%s/tokenizer.json", dir);
    if (access(path.p, F_OK) && errno == ENOENT) {
        lm_buf_free(&path);
        return LM_NO;
    }
    err = lm_mmap_file(path.p, &m);
    if (!err) {
        lm_id_hex(lm_hash128(m.n ? m.p : "", m.n), out);
        lm_munmap_file(m);
    }
    lm_buf_free(&path);
    return err;
}

/* Weights, the state of a training and what names or hashes them are no companions. */
static bool companion(const char *name)
{
    static const char *const tail[] = {".json", ".txt", ".jinja", ".model", ".py"};
    size_t n = strlen(name);

    if (name[0] == '.' || !strcmp(name, "state.json") || strstr(name, ".index.json"))
        return false;
    for (size_t i = 0; i < LM_COUNT(tail); i++)
        if (n > strlen(tail[i]) && !strcmp(name + n - strlen(tail[i]), tail[i]))
            return true;
    return false;
}

int lm_beside_copy(const char *from, const char *dir)
{
    DIR *d = opendir(from);
    int err = 0;

    if (!d)
        return lm_err_sys(from, "cannot read");
    for (struct dirent *e; !err && (e = readdir(d));) {
        lm_buf a = {0}, b = {0};

        if (!companion(e->d_name))
            continue;
        lm_buf_addf(&a, "%s/%s", from, e->d_name);
        lm_buf_addf(&b, "%s/%s", dir, e->d_name);
        err = copy(a.p, b.p);
        lm_buf_free(&a);
        lm_buf_free(&b);
    }
    closedir(d);
    return err;
}
