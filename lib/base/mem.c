/* mem: checked allocation, growing buffers, arenas, huge blocks. Out of memory never returns. */
#include "base/base.h"
#include <sys/mman.h>

static void oom_abort(size_t bytes)
{
    (void)bytes;
    abort();
}

void (*lm_oom_hook)(size_t bytes) = oom_abort;

static void *got(void *p, size_t n)
{
    if (!p) {
        lm_oom_hook(n);
        abort(); /* a hook must not return */
    }
    return p;
}

bool lm_mul_ok(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}
bool lm_add_ok(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

void *lm_alloc(size_t n)
{
    return got(malloc(n ? n : 1), n);
}

void *lm_zalloc(size_t n, size_t size)
{
    return got(calloc(n ? n : 1, size ? size : 1), n);
}

void *lm_realloc(void *p, size_t n)
{
    return got(realloc(p, n ? n : 1), n);
}

void *lm_reallocn(void *p, size_t n, size_t size)
{
    size_t bytes;

    if (!lm_mul_ok(n, size, &bytes))
        got(NULL, SIZE_MAX);
    return lm_realloc(p, bytes);
}

void *lm_memdup(const void *p, size_t n)
{
    char *q = lm_alloc(n + 1);

    if (n)
        memcpy(q, p, n);
    q[n] = 0;
    return q;
}

char *lm_strdup(const char *s)
{
    return lm_memdup(s, strlen(s));
}
char *lm_strndup(lm_str s)
{
    return lm_memdup(s.p, s.n);
}

int lm_cmp(lm_str a, lm_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;

    return c ? c : (a.n > b.n) - (a.n < b.n);
}

static size_t page_up(size_t n)
{
    return (n + 0x1fffff) & ~(size_t)0x1fffff;
}

void *lm_alloc_huge(size_t n)
{
    void *p =
        mmap(NULL, page_up(n ? n : 1), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        got(NULL, n);
    madvise(p, page_up(n ? n : 1), MADV_HUGEPAGE); /* before the first touch, or not at all */
    return p;
}

void lm_hint_huge(void *p, size_t n)
{
    uintptr_t from = page_up((uintptr_t)p), to = ((uintptr_t)p + n) & ~(uintptr_t)0x1fffff;

    if (from < to)
        madvise((void *)from, to - from, MADV_HUGEPAGE);
}

void lm_free_huge(void *p, size_t n)
{
    if (p)
        munmap(p, page_up(n ? n : 1));
}

char *lm_buf_need(lm_buf *b, size_t more)
{
    size_t want;

    if (!lm_add_ok(b->n, more, &want) || !lm_add_ok(want, 1, &want))
        got(NULL, SIZE_MAX);
    if (want > b->cap) {
        size_t cap = b->cap ? b->cap : 64;

        while (cap < want)
            cap = cap > SIZE_MAX / 2 ? want : cap * 2;
        b->p = lm_realloc(b->p, cap);
        b->cap = cap;
        b->p[b->n] = 0;
    }
    return b->p + b->n;
}

void lm_buf_add(lm_buf *b, const void *p, size_t n)
{
    char *end = lm_buf_need(b, n);

    if (n)
        memcpy(end, p, n);
    b->n += n;
    b->p[b->n] = 0;
}

void lm_buf_adds(lm_buf *b, const char *s)
{
    lm_buf_add(b, s, strlen(s));
}
void lm_buf_addc(lm_buf *b, char c)
{
    lm_buf_add(b, &c, 1);
}

void lm_buf_le(lm_buf *b, uint64_t v, unsigned n)
{
    char *p = lm_buf_need(b, 8);

    for (unsigned i = 0; i < 8; i++)
        p[i] = (char)(v >> 8 * i);
    b->n += n;
}

void lm_buf_align8(lm_buf *b)
{
    static const char zero[8];

    lm_buf_add(b, zero, -b->n % 8);
}

void lm_buf_addf(lm_buf *b, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    lm_buf_need(b, (size_t)n);
    va_start(ap, fmt);
    vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->n += (size_t)n;
}

void lm_buf_free(lm_buf *b)
{
    free(b->p);
    *b = (lm_buf){0};
}

/* Blocks in a list; a request larger than a block gets a block of its own. */
struct block {
    struct block *next;
    size_t used, cap;
};
#define BLOCK_HEAD ((sizeof(struct block) + 15) & ~(size_t)15)
struct lm_arena {
    struct block *head;
};

lm_arena *lm_arena_new(void)
{
    return lm_zalloc(1, sizeof(lm_arena));
}

void *lm_arena_alloc(lm_arena *a, size_t n)
{
    struct block *b = a->head;

    if (n > SIZE_MAX / 2)
        got(NULL, n);
    n = (n + 15) & ~(size_t)15;
    if (!b || b->cap - b->used < n) {
        size_t cap = b ? (b->cap < 1 << 20 ? b->cap * 2 : b->cap) : 1024;

        if (cap < n)
            cap = n;
        b = lm_alloc(BLOCK_HEAD + cap);
        *b = (struct block){a->head, 0, cap};
        a->head = b;
    }
    b->used += n;
    return (char *)b + BLOCK_HEAD + b->used - n;
}

lm_str lm_arena_str(lm_arena *a, lm_str s)
{
    char *p = lm_arena_alloc(a, s.n + 1);

    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return (lm_str){p, s.n};
}

void lm_arena_reset(lm_arena *a)
{
    struct block *keep = a->head;

    if (!keep)
        return;
    for (struct block *b = keep->next, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    keep->next = NULL;
    keep->used = 0;
    if (keep->cap > 1 << 20) { /* one large record must not hold memory for ever */
        free(keep);
        a->head = NULL;
    }
}

void lm_arena_free(lm_arena *a)
{
    if (!a)
        return;
    for (struct block *b = a->head, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(a);
}
