/* spool: a piece's name is its address, or with the top bit its place in the file. */
#include <sys/mman.h>
#include <unistd.h>
#include "text/spool.h"

#define IN_FILE (1ull << 63)
enum { BLOCK = 1 << 20, WRITE = 256 << 10 }; /* bytes of memory taken at once, of one write */

struct lm_spool {
    char *dir;
    size_t *room;
    char **block; /* memory: freed together */
    size_t nblock, capblock;
    char *free_at; /* in the last block */
    size_t left;
    int fd;        /* -1: nothing spilled */
    uint64_t size; /* bytes given to the file */
    lm_buf out;    /* of these the last, not yet written */
    lm_str map;
};

lm_spool *lm_spool_new(const char *dir, size_t *room)
{
    lm_spool *s = lm_zalloc(1, sizeof *s);

    if (!dir)
        dir = getenv("TMPDIR");
    s->dir = lm_strdup(dir && *dir ? dir : "/tmp");
    s->room = room;
    s->fd = -1;
    return s;
}

static int flush(lm_spool *s)
{
    if (s->out.n && lm_write_all(s->fd, s->out.p, s->out.n) < 0)
        return lm_err_sys(s->dir, "cannot write a temporary file");
    s->out.n = 0;
    return 0;
}

static int spill(lm_spool *s, const void *p, size_t n, uint64_t *at)
{
    int err = s->fd < 0 ? lm_temp_file(s->dir, &s->fd) : 0;

    if (err)
        return err;
    *at = s->size | IN_FILE;
    lm_buf_add(&s->out, p, n);
    s->size += n;
    return s->out.n >= WRITE ? flush(s) : 0;
}

int lm_spool_add(lm_spool *s, const void *p, size_t n, uint64_t *at)
{
    if (n > s->left) {
        size_t size = n > BLOCK / 4 ? n : BLOCK;

        if (size > *s->room)
            return spill(s, p, n, at);
        *s->room -= size;
        LM_GROW(s->block, s->nblock, s->capblock);
        s->block[s->nblock++] = lm_alloc(size);
        if (size != BLOCK) { /* a large piece has a block to itself */
            memcpy(s->block[s->nblock - 1], p, n);
            *at = (uint64_t)(uintptr_t)s->block[s->nblock - 1];
            return 0;
        }
        s->free_at = s->block[s->nblock - 1];
        s->left = BLOCK;
    }
    if (n)
        memcpy(s->free_at, p, n);
    *at = (uint64_t)(uintptr_t)s->free_at;
    s->free_at += n;
    s->left -= n;
    return 0;
}

int lm_spool_seal(lm_spool *s)
{
    void *p;

    if (s->fd < 0 || !s->size)
        return 0;
    if (flush(s))
        return LM_EIO;
    lm_buf_free(&s->out);
    p = mmap(NULL, s->size, PROT_READ, MAP_SHARED, s->fd, 0);
    if (p == MAP_FAILED)
        return lm_err_sys(s->dir, "cannot map a temporary file");
    s->map = (lm_str){p, s->size};
    return 0;
}

const char *lm_spool_get(const lm_spool *s, uint64_t at)
{
    return at & IN_FILE ? s->map.p + (at & ~IN_FILE) : (const char *)(uintptr_t)at;
}

void lm_spool_drop(const lm_spool *s, uint64_t from, uint64_t to)
{
    if (to & IN_FILE)
        lm_mmap_drop(s->map, from & IN_FILE ? from & ~IN_FILE : 0, to & ~IN_FILE);
}

bool lm_spool_spilled(const lm_spool *s)
{
    return s->fd >= 0;
}

void lm_spool_free(lm_spool *s)
{
    size_t i;

    if (!s)
        return;
    for (i = 0; i < s->nblock; i++)
        free(s->block[i]);
    free(s->block);
    if (s->map.p)
        munmap((void *)(uintptr_t)s->map.p, s->map.n);
    if (s->fd >= 0)
        close(s->fd);
    lm_buf_free(&s->out);
    free(s->dir);
    free(s);
}
