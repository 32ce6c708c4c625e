/* Archive members into documents, in the archive's order. */
#include "text/import.h"
#include <archive.h>
#include <archive_entry.h>

#define LOST 100 /* damaged members in a row: the archive is */

/* lm-export --to tar keeps the attributes, as they stand in a header line, in an extended
 * attribute. */
static void attrs(lm_import *m, struct archive_entry *e)
{
    lm_rec head = {0};
    lm_str key, val;
    const char *name, *why;
    const void *v;
    uint64_t len;
    size_t n, i = 0;

    archive_entry_xattr_reset(e);
    while (archive_entry_xattr_next(e, &name, &v, &n) == ARCHIVE_OK)
        if (!strcmp(name, LM_IMPORT_XATTR) && n < LM_MAX_HEAD - 32) {
            m->conv.n = 0;
            lm_buf_addf(&m->conv, "@doc 0 %.*s\n", (int)n, (const char *)v);
            head.raw = lm_buf_str(&m->conv);
            if (!lm_head_parse(head.raw.p, head.raw.n, &head, &len, &why))
                while (lm_attr_each(&head, &i, &key, &val))
                    lm_set(&m->r, lm_arena_str(m->js.ar, key).p, val);
        }
    lm_rec_free(&head);
    if (lm_get(&m->r, "id").p && !lm_doc_id_ok(lm_get(&m->r, "id")))
        lm_del(&m->r, "id");
}

/* Why the member is left out, or NULL. */
static const char *unwanted(lm_import *m, struct archive_entry *e)
{
    if (archive_entry_hardlink(e) || archive_entry_filetype(e) == AE_IFLNK)
        return "link";
    if (archive_entry_filetype(e) != AE_IFREG)
        return "device";
    if (archive_entry_size_is_set(e) && (uint64_t)archive_entry_size(e) > m->max_bytes)
        return "large";
    return NULL;
}

int lm_import_archive(lm_import *m, lm_source *s, const char *path)
{
    struct archive_entry *e;
    unsigned lost = 0;
    int rc, err = 0;

    if (!m->js.ar)
        m->js.ar = lm_arena_new();
    while (!err && (rc = lm_source_member(s, &e)) > 0) {
        const char *name, *rule;
        uint64_t size;
        lm_str p;

        if (rc == LM_NO_MEMBER) {
            lm_import_bad(m);
            if (++lost == LOST) {
                lm_err_at(LM_EINVALID, path, "no whole member among the last %d", LOST);
                rc = LM_EINVALID;
                break;
            }
            continue;
        }
        if (archive_entry_filetype(e) == AE_IFDIR)
            continue;
        name = archive_entry_pathname(e);
        p = lm_cstr(name ? name : "");
        size = archive_entry_size_is_set(e) ? (uint64_t)archive_entry_size(e) : 0;
        if ((rule = unwanted(m, e))) {
            lm_import_skip(m, rule, p, size);
            rc = lm_source_skip(s);
        } else {
            int64_t mtime =
                archive_entry_mtime_is_set(e) ? (int64_t)archive_entry_mtime(e) : INT64_MIN;

            lm_rec_new(&m->r, "doc");
            lm_arena_reset(m->js.ar);
            attrs(m, e);
            if ((rc = lm_source_data(s, m->max_bytes, &m->body)) == 1)
                err = lm_import_put(m, p, lm_buf_str(&m->body), mtime);
            else if (!rc)
                lm_import_skip(m, "large", p, size);
        }
        if (rc < 0)
            break;
        lost = rc == LM_NO_MEMBER ? lost + 1 : 0;
        if (rc == LM_NO_MEMBER)
            lm_import_bad(m);
    }
    if (!err && rc < 0)
        lm_import_bad(m);
    return err;
}
