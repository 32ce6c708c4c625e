/* export: documents in the forms others read. */
#include "text/export.h"
#include "base/json.h"
#include "text/import.h"
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct lm_export {
    int to, fd, dir; /* LM_TO_*; of the output; of the directory */
    bool force, ended;
    const char *text, *out;
    lm_aside *aside;
    lm_buf b, path, attrs; /* b: waiting output */
    locale_t utf8;
    lm_fields map;
    struct archive *a;
    lm_in *in;
};
typedef struct lm_export exporter;

static int flush(exporter *x, size_t above)
{
    if (x->b.n <= above)
        return 0;
    if (lm_write_all(x->fd, x->b.p, x->b.n))
        return lm_err_sys(x->out ? x->out : "stdout", "write");
    x->b.n = 0;
    return 0;
}

/* ---- jsonl */

static bool plain_number(lm_str s)
{
    size_t i = s.n && s.p[0] == '-', whole = i;

    while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
        i++;
    if (i == whole || i - whole > 15 || (s.p[whole] == '0' && i - whole > 1))
        return false;
    if (i < s.n && s.p[i] == '.') {
        size_t point = ++i;

        while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
            i++;
        if (i == point)
            return false;
    }
    return i == s.n;
}

/* "name": value, as a string; base64 under name_base64 if it is not UTF-8. */
static void field(lm_buf *b, lm_str name, lm_str v, bool number)
{
    bool utf8 = number || lm_utf8_valid(v.p, v.n);

    lm_buf_addc(b, b->n && b->p[b->n - 1] != '\n' ? ',' : '{');
    if (utf8) {
        lm_jsonl_quote(b, name);
        lm_buf_addc(b, ':');
        if (number)
            lm_buf_add(b, v.p, v.n);
        else
            lm_jsonl_quote(b, v);
        return;
    }
    lm_jsonl_quote(b, name);
    b->n--;
    lm_buf_adds(b, "_base64\":\"");
    lm_b64_encode(b, v);
    lm_buf_addc(b, '"');
}

static int put_jsonl(exporter *x, lm_rec *r)
{
    size_t i = 0;
    lm_str key, v;

    while (lm_attr_each(r, &i, &key, &v)) {
        lm_str name = key;

        for (size_t k = 0; k < x->map.n; k++)
            if (lm_eq(x->map.v[k].key, key))
                name = x->map.v[k].field;
        if (lm_is(name, x->text))
            return lm_fail(x->in, LM_EINVALID, "attribute %.*s and the body share field %s",
                           (int)key.n, key.p, x->text);
        field(&x->b, name, v, lm_key_number(key) && plain_number(v));
    }
    field(&x->b, lm_cstr(x->text), r->body, false);
    lm_buf_adds(&x->b, "}\n");
    return flush(x, 256 << 10);
}

/* ---- paths */

/* The path of a document below the target, or its id if it has none. A path that leads out of the
   target, or that cleaning would bring to another name, is refused. */
static int place(exporter *x, lm_rec *r, lm_str *path)
{
    lm_str p = lm_get(r, "path");
    uint64_t parts;

    x->path.n = 0;
    if (!p.p) {
        char id[33];

        lm_id_hex(lm_rec_id(r), id);
        lm_buf_adds(&x->path, id);
    } else if (p.n && p.p[0] == '/') {
        return lm_fail(x->in, LM_EINVALID, "absolute path");
    } else if (memchr(p.p, 0, p.n)) {
        return lm_fail(x->in, LM_EINVALID, "NUL byte in a path");
    } else {
        for (size_t i = 0, b = 0; i <= p.n; i++)
            if (i == p.n || p.p[i] == '/') {
                if (i - b == 2 && p.p[b] == '.' && p.p[b + 1] == '.')
                    return lm_fail(x->in, LM_EINVALID, "path with a .. part");
                b = i + 1;
            }
        if (!lm_path_clean(&x->path, p, &parts) || p.p[p.n - 1] == '/')
            return lm_fail(x->in, LM_EINVALID, "path names no file");
    }
    *path = lm_buf_str(&x->path);
    return 0;
}

/* ---- dir */

static int put_dir(exporter *x, lm_rec *r)
{
    int dir = x->dir, fd = -1, flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, err = 0;
    lm_str p;
    char *s, *slash;

    if ((err = place(x, r, &p)))
        return err;
    /* One part at a time, no link followed: nothing in the tree can lead the file elsewhere. */
    for (s = x->path.p; (slash = strchr(s, '/')); s = slash + 1) {
        int sub;

        *slash = 0;
        if (mkdirat(dir, s, 0777) && errno != EEXIST)
            break;
        if ((sub = openat(dir, s, flags)) < 0)
            break;
        *slash = '/';
        if (dir != x->dir)
            close(dir);
        dir = sub;
    }
    if (!slash && x->force && unlinkat(dir, s, 0) && errno != ENOENT)
        fd = -1;
    else if (!slash)
        fd = openat(dir, s, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST)
        err = lm_fail(x->in, LM_EINVALID, "%s exists (-f replaces it)", s);
    else if (fd < 0)
        err = lm_fail(x->in, LM_EIO, "%s: %s", s, strerror(errno));
    else if (lm_write_all(fd, r->body.p, r->body.n))
        err = lm_fail(x->in, LM_EIO, "write %s: %s", s, strerror(errno));
    if (fd >= 0 && close(fd) && !err)
        err = lm_fail(x->in, LM_EIO, "close %s: %s", s, strerror(errno));
    if (dir != x->dir)
        close(dir);
    return err;
}

/* ---- tar */

static la_ssize_t on_write(struct archive *a, void *ctx, const void *p, size_t n)
{
    exporter *x = ctx;

    lm_buf_add(&x->b, p, n);
    if (!flush(x, 256 << 10))
        return (la_ssize_t)n;
    archive_set_error(a, EIO, "write");
    return -1;
}

static int tar_failed(exporter *x)
{
    lm_error *e = lm_last_error();

    return e->err == LM_EIO ? LM_EIO
                            : lm_fail(x->in, LM_EIO, "tar: %s", archive_error_string(x->a));
}

static void set_time(struct archive_entry *e, lm_str s)
{
    struct tm tm = {0};
    char tmp[32];
    const char *end;

    if (!s.p || s.n >= sizeof tmp)
        return;
    memcpy(tmp, s.p, s.n);
    tmp[s.n] = 0;
    end = strptime(tmp, "%Y-%m-%dT%H:%M:%SZ", &tm);
    if (end && !*end)
        archive_entry_set_mtime(e, timegm(&tm), 0);
}

/* A pax member; the attributes, as in the header line, go to an extended attribute for lm-import.
 */
static int put_tar(exporter *x, lm_rec *r)
{
    struct archive_entry *e;
    lm_str path, key, v;
    size_t i = 0;
    int err = place(x, r, &path);

    if (err)
        return err;
    e = archive_entry_new();
    archive_entry_set_pathname(e, path.p);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, 0644);
    archive_entry_set_size(e, (la_int64_t)r->body.n);
    archive_entry_set_mtime(e, 0, 0);
    set_time(e, lm_get(r, "mtime"));
    x->attrs.n = 0;
    while (lm_attr_each(r, &i, &key, &v)) {
        lm_buf_addf(&x->attrs, "%s%.*s=", x->attrs.n ? " " : "", (int)key.n, key.p);
        lm_pct_encode(&x->attrs, v);
    }
    if (x->attrs.n)
        archive_entry_xattr_add_entry(e, LM_IMPORT_XATTR, x->attrs.p, x->attrs.n);
    if (archive_write_header(x->a, e) < ARCHIVE_WARN ||
        archive_write_data(x->a, r->body.p, r->body.n) != (la_ssize_t)r->body.n ||
        archive_write_finish_entry(x->a) < ARCHIVE_WARN)
        err = tar_failed(x);
    archive_entry_free(e);
    return err;
}

/* ---- */

static int start(exporter *x)
{
    const char *out = x->out;

    if (x->to == LM_TO_DIR) {
        struct stat st;

        if (!out)
            return lm_err(LM_EUSAGE, "--to dir needs -o DIR");
        if (stat(out, &st)) { /* a new directory appears whole or not at all */
            if (!(x->aside = lm_aside_dir(out)))
                return lm_last_error()->err;
            out = lm_aside_path(x->aside);
        }
        if ((x->dir = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
            return lm_err_sys(out, "open");
        return 0;
    }
    if (out && !(x->aside = lm_aside_open(out, &x->fd)))
        return lm_last_error()->err;
    if (x->to == LM_TO_TAR) {
        /* libarchive takes names for text of the locale: here they are UTF-8, whatever the user's.
         */
        if ((x->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0)))
            uselocale(x->utf8);
        x->a = archive_write_new();
        archive_write_set_format_pax_restricted(x->a);
        archive_write_set_options(x->a, "xattrheader=SCHILY");
        archive_write_set_bytes_per_block(x->a, 10240);
        if (archive_write_open(x->a, x, NULL, on_write, NULL) != ARCHIVE_OK)
            return tar_failed(x);
    }
    return 0;
}

lm_export *lm_export_new(int to, const char *text, lm_fields map, bool force, const char *out,
                         lm_in *in)
{
    exporter *x = lm_zalloc(1, sizeof *x);

    *x = (exporter){.to = to,
                    .fd = 1,
                    .dir = -1,
                    .force = force,
                    .text = text,
                    .out = out,
                    .map = map,
                    .in = in};
    if (!start(x))
        return x;
    lm_export_free(x);
    return NULL;
}

int lm_export_put(lm_export *x, lm_rec *r)
{
    switch (x->to) {
    case LM_TO_JSONL:
        return put_jsonl(x, r);
    case LM_TO_DIR:
        return put_dir(x, r);
    case LM_TO_TAR:
        return put_tar(x, r);
    }
    lm_buf_add(&x->b, r->body.p, r->body.n);
    return flush(x, 256 << 10);
}

int lm_export_flush(lm_export *x)
{
    return flush(x, 0);
}

int lm_export_end(lm_export *x)
{
    int err = 0;

    if (x->a && archive_write_close(x->a) != ARCHIVE_OK)
        return tar_failed(x);
    x->ended = true;
    if ((err = flush(x, 0)))
        return err;
    if (x->aside) {
        err = lm_aside_commit(x->aside);
        x->aside = NULL;
    }
    return err;
}

void lm_export_free(lm_export *x)
{
    if (!x)
        return;
    if (x->a && !x->ended)
        archive_write_fail(x->a);
    if (x->a)
        archive_write_free(x->a);
    if (x->utf8) {
        uselocale(LC_GLOBAL_LOCALE);
        freelocale(x->utf8);
    }
    if (x->dir >= 0)
        close(x->dir);
    if (x->aside)
        lm_aside_drop(x->aside);
    lm_buf_free(&x->b);
    lm_buf_free(&x->path);
    lm_buf_free(&x->attrs);
    free(x->map.v);
    free(x);
}
