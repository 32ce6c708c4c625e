/* manifest: what a checkpoint's files must hash to, and the tokenizer's files that travel with a
 * model. */
#include "nn/ckpt.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK (64ull << 20)

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The files of a folder but MANIFEST, by name; free each, then the list. */
static int files_of(const char *dir, char ***v, size_t *n)
{
    DIR *d = opendir(dir);
    size_t cap = 0;

    *v = NULL;
    *n = 0;
    if (!d)
        return lm_err_sys(dir, "cannot read");
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.' || !strcmp(e->d_name, "MANIFEST"))
            continue;
        LM_GROW(*v, *n, cap);
        (*v)[(*n)++] = lm_strdup(e->d_name);
    }
    closedir(d);
    if (*n)
        qsort(*v, *n, sizeof **v, by_name);
    return 0;
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
    int fd, err = files_of(dir, &v, &n);

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
    path.n = 0;
    lm_buf_addf(&path, "%s/MANIFEST", dir);
    if (!err) {
        fd = open(path.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (fd < 0 || lm_write_all(fd, out.p ? out.p : "", out.n) || fsync(fd))
            err = lm_err_sys(path.p, "cannot write");
        if (fd >= 0 && close(fd) && !err)
            err = lm_err_sys(path.p, "cannot write");
    }
    lm_buf_free(&out);
    lm_buf_free(&path);
    return err;
}

/* One line `xxh128 offset length file` without its LF. */
static int check_line(const char *dir, const char *where, lm_str line)
{
    lm_str f[3], name = line, m;
    lm_buf path = {0};
    uint64_t off, len;
    lm_id want;
    int err;

    for (int i = 0; i < 3; i++) {
        const char *sp = name.n ? memchr(name.p, ' ', name.n) : NULL;

        if (!sp)
            return lm_err_at(LM_ECORRUPT, where, "bad line");
        f[i] = (lm_str){name.p, (size_t)(sp - name.p)};
        name = (lm_str){sp + 1, name.n - f[i].n - 1};
    }
    if (f[0].n != 32 || !lm_id_parse(f[0], &want) || !lm_parse_u64(f[1], &off) ||
        !lm_parse_u64(f[2], &len) || !name.n || memchr(name.p, '/', name.n))
        return lm_err_at(LM_ECORRUPT, where, "bad line");
    lm_buf_addf(&path, "%s/%.*s", dir, (int)name.n, name.p);
    err = lm_mmap_file(path.p, &m);
    if (err) {
        if (access(path.p, F_OK))
            err = lm_err_at(LM_EMISSING, path.p, "listed in MANIFEST, but not there");
    } else {
        bool last = len < CHUNK;

        if (off > m.n || len > m.n - off || (last && off + len != m.n))
            err = lm_err_at(LM_ECORRUPT, path.p, "%zu bytes, not as long as MANIFEST says", m.n);
        else if (lm_id_cmp(lm_hash128(len ? m.p + off : "", len), want))
            err = lm_err_at(LM_ECORRUPT, path.p,
                            "bytes %" PRIu64 "-%" PRIu64 " are not what was written", off,
                            off + (len ? len - 1 : 0));
        lm_munmap_file(m);
    }
    lm_buf_free(&path);
    return err;
}

int lm_manifest_check(const char *dir)
{
    lm_buf path = {0}, b = {0};
    const char *p, *end;
    int err;

    lm_buf_addf(&path, "%s/MANIFEST", dir);
    err = lm_read_file(path.p, &b, 64 << 20);
    if (err && access(path.p, F_OK))
        err = lm_err_at(LM_EMISSING, path.p, "a checkpoint without MANIFEST");
    p = b.p;
    end = b.p + b.n;
    if (!err && (!b.n || end[-1] != '\n'))
        err = lm_err_at(LM_ETRUNC, path.p, "cut");
    while (!err && p < end) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));

        err = check_line(dir, path.p, (lm_str){p, (size_t)(lf - p)});
        p = lf + 1;
    }
    lm_buf_free(&path);
    lm_buf_free(&b);
    return err;
}

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
