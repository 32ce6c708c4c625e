/* One operand of lm-import: what it is, and the way from its bytes to a document. */
#include "text/import.h"
#include "text/walk.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TOLD 10 /* messages about one source */

void lm_import_skip(lm_import *m, const char *rule, lm_str path, uint64_t bytes)
{
    lm_rec *r = &m->none;

    lm_rec_new(r, "doc");
    if (path.n)
        lm_set(r, "path", path);
    r->body = (lm_str){"", bytes}; /* only its length is looked at */
    lm_drop(r, rule, "%llu", (unsigned long long)bytes);
    lm_count_drop(r);
}

void lm_import_bad(lm_import *m)
{
    lm_error *e = lm_last_error();

    if (!m->err)
        m->err = e->err;
    m->bad++;
    if (m->told++ < TOLD)
        lm_warn("%s: %s: %s", e->where, lm_class_name(e->err), e->detail);
    else if (m->told == TOLD + 1)
        lm_warn("%s: more of the same is not told", e->where);
}

static void set_time(lm_rec *r, int64_t t)
{
    time_t tt = (time_t)t;
    struct tm tm;
    char s[32];

    if (gmtime_r(&tt, &tm) && tm.tm_year >= -1900 && tm.tm_year <= 8099 &&
        strftime(s, sizeof s, "%Y-%m-%dT%H:%M:%SZ", &tm))
        lm_set(r, "mtime", lm_cstr(s));
}

int lm_import_put(lm_import *m, lm_str path, lm_str body, int64_t mtime)
{
    lm_rec *r = &m->r;
    uint64_t parts, v;
    char id[65], ext[17];
    lm_str s;
    int err;

    if (m->utf16) {
        m->conv.n = 0;
        if (lm_utf16_to_utf8(body, &m->conv, &m->lone))
            body = lm_buf_str(&m->conv);
    }
    if (!lm_get(r, "id").p) {
        lm_doc_id(m->id, body, id);
        lm_set(r, "id", lm_cstr(id));
    }
    if (m->src && !lm_get(r, "src").p)
        lm_set(r, "src", lm_cstr(m->src));
    if (path.p) {
        m->path.n = 0;
        if (!lm_path_clean(&m->path, path, &parts)) {
            lm_import_skip(m, "path", path, body.n);
            return 0;
        }
        if (parts > m->max_depth) {
            lm_import_skip(m, "depth", path, body.n);
            return 0;
        }
        path = lm_buf_str(&m->path);
        lm_set(r, "path", path);
        if (!lm_get(r, "ext").p && lm_path_ext(path, ext))
            lm_set(r, "ext", lm_cstr(ext));
    }
    if (!lm_parse_u64(lm_get(r, "size"), &v))
        lm_setf(r, "size", "%zu", body.n);
    s = lm_get(r, "enc");
    if (!lm_is(s, "ascii") && !lm_is(s, "utf8") && !lm_is(s, "bytes") && !lm_is(s, "binary"))
        lm_set(r, "enc", lm_cstr(lm_doc_enc(body)));
    if (m->mtime && mtime != INT64_MIN && !lm_get(r, "mtime").p)
        set_time(r, mtime);
    lm_body(r, body.p, body.n);
    if ((err = lm_put(m->out, r)) == LM_ELIMIT) { /* the header alone can be too long */
        lm_import_bad(m);
        return 0;
    }
    m->docs++;
    lm_progress(m->docs, 0, "documents");
    return err;
}

/* A file that is open, of st, into m->body. 1, 0 = left out, < 0 never: a file that cannot be read
   is damage. */
static int slurp(lm_import *m, int fd, const char *where, lm_str path, struct stat *st)
{
    lm_buf *b = &m->body;

    b->n = 0;
    if (fd < 0 || fstat(fd, st)) {
        lm_err_sys(where, "open");
        lm_import_bad(m);
        return 0;
    }
    if ((uint64_t)st->st_size > m->max_bytes) {
        lm_import_skip(m, "large", path, (uint64_t)st->st_size);
        return 0;
    }
    for (;;) {
        size_t room = (size_t)st->st_size + 1 > b->n ? (size_t)st->st_size + 1 - b->n : 65536;
        ssize_t n = read(fd, lm_buf_need(b, room), room);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            lm_err_sys(where, "read");
            lm_import_bad(m);
            return 0;
        }
        if (!n)
            return 1;
        b->n += (size_t)n;
        if (b->n > m->max_bytes) { /* it grew */
            lm_import_skip(m, "large", path, b->n);
            return 0;
        }
    }
}

typedef struct {
    lm_import *m;
    const char *root;
    uint64_t n, lo, hi;
    bool counting;
} tree;

static int from_tree(void *ctx, const lm_walk_entry *e)
{
    static const char *const rule[] = {
        [LM_WALK_LINK] = "link", [LM_WALK_DEVICE] = "device", [LM_WALK_DEEP] = "depth"};
    tree *t = ctx;
    lm_import *m = t->m;
    char where[512];
    struct stat st;
    int fd, err = 0;

    if (e->kind == LM_WALK_FILE && (t->n++ < t->lo || t->n > t->hi))
        return 0;
    if (t->counting)
        return 0;
    if (e->kind == LM_WALK_ERROR) {
        lm_import_bad(m);
        return 0;
    }
    if (e->kind != LM_WALK_FILE) {
        if (t->n >= t->lo && (t->n < t->hi || m->part + 1 >= m->parts))
            lm_import_skip(m, rule[e->kind], e->path, 0);
        return 0;
    }
    snprintf(where, sizeof where, "%s/%.*s", t->root, (int)(e->path.n < 400 ? e->path.n : 400),
             e->path.p);
    fd = openat(e->dir, e->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
    if (slurp(m, fd, where, e->path, &st)) {
        lm_rec_new(&m->r, "doc");
        err = lm_import_put(m, e->path, lm_buf_str(&m->body), (int64_t)st.st_mtime);
    }
    if (fd >= 0)
        close(fd);
    return err;
}

static int from_dir(lm_import *m, const char *path)
{
    tree t = {.m = m, .root = path, .hi = UINT64_MAX, .counting = true};
    int err;

    if (m->parts) {
        if ((err = lm_walk(path, m->max_depth, from_tree, &t)))
            return err;
        t.lo = (uint64_t)((__uint128_t)t.n * m->part / m->parts);
        t.hi = (uint64_t)((__uint128_t)t.n * (m->part + 1) / m->parts);
        t.n = 0;
    }
    t.counting = false;
    return lm_walk(path, m->max_depth, from_tree, &t);
}

/* The length of s without an ending that names a compression. */
static size_t bare(lm_str s)
{
    static const char *const ends[] = {".gz", ".zst", ".xz", ".bz2", ".lz4", ".lzma", ".lz", ".Z"};

    for (size_t i = 0; i < LM_COUNT(ends); i++) {
        size_t n = strlen(ends[i]);

        if (s.n > n && !memcmp(s.p + s.n - n, ends[i], n))
            return s.n - n;
    }
    return s.n;
}

static bool ends(lm_str s, const char *end)
{
    size_t n = strlen(end);

    return s.n > n && !memcmp(s.p + s.n - n, end, n);
}

/* JSON Lines by name, or because the first line is an object with the body's field. */
static bool is_jsonl(lm_import *m, const char *path, lm_str first)
{
    lm_str name = {path, bare(lm_cstr(path))};
    const char *lf = memchr(first.p, '\n', first.n);
    lm_buf alt = {0};
    bool yes;

    if (ends(name, ".jsonl") || ends(name, ".ndjson"))
        return true;
    m->js.max_depth = (unsigned)m->max_depth;
    if (!lf || lm_jsonl_scan(&m->js, first.p, (size_t)(lf - first.p)) != 1)
        return false;
    lm_buf_addf(&alt, "%s_base64", m->text);
    yes = lm_jsonl_find(&m->js, lm_cstr(m->text)) || lm_jsonl_find(&m->js, lm_buf_str(&alt));
    lm_buf_free(&alt);
    return yes;
}

/* All bytes of the source as one document. */
static int from_text(lm_import *m, lm_source *s, const char *path, lm_str block)
{
    bool std = !strcmp(path, "-"), over = false;
    lm_str name = {NULL, 0};
    struct stat st;
    int64_t mtime = INT64_MIN;
    int rc;

    if (!std) {
        name = (lm_str){path, lm_source_plain(s) ? strlen(path) : bare(lm_cstr(path))};
        mtime = stat(path, &st) ? INT64_MIN : (int64_t)st.st_mtime;
    }
    m->body.n = 0;
    do {
        over = over || block.n > m->max_bytes - m->body.n;
        if (over && std)
            return lm_err_at(LM_ELIMIT, "-", "text longer than --max-bytes %llu",
                             (unsigned long long)m->max_bytes);
        if (!over)
            lm_buf_add(&m->body, block.p, block.n);
    } while (!over && (rc = lm_source_block(s, &block)) == 1);
    if (over) {
        lm_import_skip(m, "large", name, lm_source_size(s));
        return 0;
    }
    if (rc < 0) {
        lm_import_bad(m);
        return 0;
    }
    lm_rec_new(&m->r, "doc");
    return lm_import_put(m, name, lm_buf_str(&m->body), mtime);
}

static int jsonl_part(lm_import *m, const char *path, uint64_t size)
{
    uint64_t lo = (uint64_t)((__uint128_t)size * m->part / m->parts);
    uint64_t hi = (uint64_t)((__uint128_t)size * (m->part + 1) / m->parts);
    lm_source *s = lm_source_range(path, lo ? lo - 1 : 0);
    int err = s ? lm_import_jsonl(m, s, path, (lm_str){"", 0}, lo, hi) : lm_last_error()->err;

    lm_source_close(s);
    return err;
}

static int no_part(const char *path)
{
    return lm_err_at(LM_EINVALID, path,
                     "--part needs a directory or an uncompressed JSON Lines file");
}

int lm_import_source(lm_import *m, const char *path)
{
    static const unsigned kinds[] = {[LM_FROM_AUTO] = LM_SOURCE_TAR | LM_SOURCE_ZIP | LM_SOURCE_7Z |
                                                      LM_SOURCE_CPIO | LM_SOURCE_RAW,
                                     [LM_FROM_TAR] = LM_SOURCE_TAR,
                                     [LM_FROM_ZIP] = LM_SOURCE_ZIP,
                                     [LM_FROM_7Z] = LM_SOURCE_7Z,
                                     [LM_FROM_CPIO] = LM_SOURCE_CPIO,
                                     [LM_FROM_JSONL] = LM_SOURCE_RAW,
                                     [LM_FROM_TEXT] = LM_SOURCE_RAW};
    bool std = !strcmp(path, "-"), auto_ = m->from == LM_FROM_AUTO;
    int from = auto_ && std ? LM_FROM_TEXT : m->from, err = 0;
    lm_source *s;
    lm_str first = {"", 0};
    struct stat st;

    m->told = 0;
    if (from == LM_FROM_DIR || (auto_ && !stat(path, &st) && S_ISDIR(st.st_mode)))
        return from_dir(m, path);
    if (!(s = lm_source_open(path, kinds[from], m->max_ratio))) {
        if (lm_last_error()->err == LM_EIO)
            return LM_EIO;
        lm_import_bad(m);
        return 0;
    }
    if (lm_source_kind(s) == LM_SOURCE_RAW && (from <= LM_FROM_AUTO || from >= LM_FROM_JSONL)) {
        if ((err = lm_source_block(s, &first)) < 0) {
            lm_import_bad(m);
            lm_source_close(s);
            return 0;
        }
        if (auto_ && !std && first.n > 4 && !memcmp(first.p, "%lm ", 4))
            err = lm_err_at(LM_EINVALID, path, "is an lm stream already: lm-cat reads it");
        else if (from != LM_FROM_TEXT && (from == LM_FROM_JSONL || is_jsonl(m, path, first)))
            err = !m->parts ? lm_import_jsonl(m, s, path, first, 0, UINT64_MAX)
                  : !lm_source_size(s) || !lm_source_plain(s)
                      ? no_part(path)
                      : jsonl_part(m, path, lm_source_size(s));
        else
            err = m->parts ? no_part(path) : from_text(m, s, path, first);
    } else {
        err = m->parts ? no_part(path) : lm_import_archive(m, s, path);
    }
    lm_source_close(s);
    return err;
}

void lm_import_free(lm_import *m)
{
    lm_rec_free(&m->r);
    lm_rec_free(&m->none);
    lm_jsonl_free(&m->js);
    lm_buf_free(&m->path);
    lm_buf_free(&m->body);
    lm_buf_free(&m->conv);
    free(m->map.v);
}
