/* lm-export: write documents as JSON Lines, files, a tar archive or bare text.
   The counterpart of lm-import, which gives the same documents back. */
#include "lm.h"
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TO_JSONL, TO_DIR, TO_TAR, TO_TEXT };
static int to = TO_JSONL;
static const char *text = "content";
static lm_list maps;
static bool force;
static const lm_opt opts[] = {
    LM_ENUM(0, "to", &to, "jsonl|dir|tar|text", "what to write (jsonl); dir: into -o DIR"),
    LM_STRING(0, "text", &text, "FIELD", "jsonl: the field of the body (content)"),
    LM_LIST(0, "map", &maps, "ATTR=FIELD,..", "jsonl: other names for attributes"),
    LM_FLAG('f', "force", &force, "dir: replace files that exist"),
    LM_COMMON,
    LM_END};
static const lm_tool tool = {.name = "lm-export",
                             .does = "write documents as JSON Lines, files, tar or text",
                             .types = "doc",
                             .opts = opts,
                             .flags = LM_IN | LM_TEXT | LM_FILES | LM_ORDERED};

typedef struct {
    int fd, dir, err; /* of the output; of the directory; of drain */
    lm_aside *aside;
    lm_buf b, path, attrs; /* b: waiting output */
    locale_t utf8;
    lm_fields map;
    struct archive *a;
    lm_in *in;
} exporter;

static int flush(exporter *x, size_t above)
{
    if (x->b.n <= above)
        return 0;
    if (lm_write_all(x->fd, x->b.p, x->b.n))
        return lm_err_sys(lm_common.out ? lm_common.out : "stdout", "write");
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
        if (lm_is(name, text))
            return lm_fail(x->in, LM_EINVALID, "attribute %.*s and the body share field %s",
                           (int)key.n, key.p, text);
        field(&x->b, name, v, lm_key_number(key) && plain_number(v));
    }
    field(&x->b, lm_cstr(text), r->body, false);
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
    if (!slash && force && unlinkat(dir, s, 0) && errno != ENOENT)
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
    const char *out = lm_common.out;
    int err = lm_fields_parse(&maps, &x->map);

    if (err)
        return err;
    if (to == TO_DIR) {
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
    if (to == TO_TAR) {
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

static int put(exporter *x, lm_rec *r)
{
    switch (to) {
    case TO_JSONL:
        return put_jsonl(x, r);
    case TO_DIR:
        return put_dir(x, r);
    case TO_TAR:
        return put_tar(x, r);
    }
    lm_buf_add(&x->b, r->body.p, r->body.n);
    return flush(x, 256 << 10);
}

/* Nothing is held back while the next record is waited for. */
static void drain(void *ctx)
{
    exporter *x = ctx;

    if (!x->err)
        x->err = flush(x, 0);
}

static int run(lm_in *in, lm_out *out)
{
    exporter x = {.fd = 1, .dir = -1, .in = in};
    lm_rec r = {0};
    int err = start(&x), rc = 0;

    (void)out;
    lm_in_on_block(in, drain, &x);
    while (!err && (rc = lm_next(in, &r)) == 1) {
        if (!(err = x.err) && lm_acts_on(r.type))
            err = put(&x, &r);
    }
    if (!err)
        err = rc < 0 ? rc : x.err;
    if (x.a && !err && archive_write_close(x.a) != ARCHIVE_OK)
        err = tar_failed(&x);
    if (err && x.a)
        archive_write_fail(x.a);
    if (x.a)
        archive_write_free(x.a);
    if (x.utf8) {
        uselocale(LC_GLOBAL_LOCALE);
        freelocale(x.utf8);
    }
    if (!err)
        err = flush(&x, 0);
    if (x.dir >= 0)
        close(x.dir);
    if (x.aside && err)
        lm_aside_drop(x.aside);
    else if (x.aside)
        err = lm_aside_commit(x.aside);
    lm_rec_free(&r);
    lm_buf_free(&x.b);
    lm_buf_free(&x.path);
    lm_buf_free(&x.attrs);
    free(x.map.v);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
