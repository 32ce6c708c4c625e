/* replay: runs one fuzz target without libFuzzer, so that any compiler can: the seeds of
   tests/fuzz/seeds/NAME, each cut at each byte, and mutations drawn from a fixed seed. Prints TAP;
   a finding ends the process. */
#include "base/base.h"
#include <dirent.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { MUTATIONS = 4000, LONGEST = 1 << 16 };

/* A copy of exactly n bytes, so that a sanitizer sees a read past the end. */
static void once(const char *p, size_t n)
{
    uint8_t *copy = lm_alloc(n ? n : 1);

    if (n)
        memcpy(copy, p, n);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

static void mutate(lm_buf *b, const lm_buf *seed, size_t seeds, uint64_t *state)
{
    static const char *const bits[] = {"\n",      "@doc ", "%end n=", " ",
                                       "=",       "%",     "0",       "18446744073709551615",
                                       "-1",      "{",     "\"",      "\xff",
                                       "\0\0\0\0"};
    unsigned edits = 1 + (unsigned)(lm_splitmix(state) % 6);

    while (edits--) {
        uint64_t r = lm_splitmix(state);
        size_t at = b->n ? (size_t)(r >> 8) % b->n : 0;
        const char *bit;

        switch (r % 5) {
        case 0:
            if (b->n)
                b->p[at] = (char)(r >> 40);
            break;
        case 1:
            if (b->n)
                b->p[at] = (char)(b->p[at] ^ 1 << (r >> 40) % 8);
            break;
        case 2: /* cut out a piece */
            if (b->n) {
                size_t len = (size_t)(r >> 40) % (b->n - at) + 1;

                memmove(b->p + at, b->p + at + len, b->n - at - len);
                b->n -= len;
            }
            break;
        case 3: /* put in something the formats know */
            bit = bits[(r >> 40) % LM_COUNT(bits)];
            lm_buf_adds(b, bit);
            memmove(b->p + at + strlen(bit), b->p + at, b->n - at - strlen(bit));
            memcpy(b->p + at, bit, strlen(bit));
            break;
        default: { /* go on as another seed does */
            const lm_buf *o = seed + (r >> 16) % seeds;

            if (o->n && b->n < LONGEST) {
                size_t from = (size_t)(r >> 40) % o->n;

                b->n = at;
                lm_buf_add(b, o->p + from, o->n - from);
            }
        }
        }
    }
}

int main(int argc, char **argv)
{
    const char *base = strrchr(argv[0], '/'), *name = base ? base + 1 : argv[0];
    char dir[512];
    DIR *d;
    struct dirent *e;
    lm_buf *seed = NULL, work = {0};
    size_t n = 0, cap = 0, runs = 0;
    uint64_t state = 1;

    if (!strncmp(name, "replay-", 7))
        name += 7;
    snprintf(dir, sizeof dir, "%s/%s", argc > 1 ? argv[1] : "tests/fuzz/seeds", name);
    LM_GROW(seed, n, cap);
    seed[n++] = (lm_buf){0};
    d = opendir(dir);
    while (d && (e = readdir(d))) {
        char path[1024];
        lm_buf b = {0};

        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (e->d_name[0] == '.' || lm_read_file(path, &b, LONGEST) < 0)
            continue;
        LM_GROW(seed, n, cap);
        seed[n++] = b;
    }
    if (d)
        closedir(d);
    printf("# %s: %zu seeds of %s\n", name, n - 1, dir);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k <= seed[i].n && k < 1024; k++, runs++)
            once(seed[i].p, k);
    for (size_t i = 0; i < n; i++, runs++)
        once(seed[i].p, seed[i].n);
    for (int i = 0; i < MUTATIONS; i++, runs++) {
        const lm_buf *from = &seed[(size_t)i % n];

        work.n = 0;
        lm_buf_add(&work, from->p, from->n);
        mutate(&work, seed, n, &state);
        once(work.p, work.n);
    }
    printf("ok 1 - %s: %zu inputs\n1..1\n", name, runs);
    for (size_t i = 0; i < n; i++)
        lm_buf_free(&seed[i]);
    free(seed);
    lm_buf_free(&work);
    return 0;
}
