/* bestfit: rows wait by the room they have, in a queue for each number of tokens; a bit tells
   whether one waits there, a second bit whether there is such a bit among 64. */
#include "nn/bestfit.h"

#define NONE UINT32_MAX

typedef struct {
    uint32_t *head, *tail; /* [seq + 1] */
    uint64_t *some, *any;
    size_t words;
} queues;
typedef struct {
    uint32_t left, pieces, next;
} open_row;

static void add(queues *q, open_row *row, uint32_t r)
{
    uint32_t left = row[r].left;

    row[r].next = NONE;
    if (q->head[left] == NONE)
        q->head[left] = r;
    else
        row[q->tail[left]].next = r;
    q->tail[left] = r;
    q->some[left / 64] |= 1ull << left % 64;
    q->any[left / 4096] |= 1ull << left / 64 % 64;
}

/* The least room of at least n that a row has; NONE. */
static uint32_t least(const queues *q, uint32_t n)
{
    size_t i = n / 64, k;
    uint64_t m = q->some[i] >> n % 64 << n % 64;

    if (!m) {
        k = ++i / 64;
        m = i < q->words ? q->any[k] >> i % 64 << i % 64 : 0;
        while (!m) {
            if (++k * 64 >= q->words)
                return NONE;
            m = q->any[k];
        }
        i = k * 64 + (size_t)__builtin_ctzll(m);
        m = q->some[i];
    }
    return (uint32_t)(i * 64 + (size_t)__builtin_ctzll(m));
}

static uint32_t take(queues *q, const open_row *row, uint32_t room)
{
    uint32_t r = q->head[room];

    q->head[room] = row[r].next;
    if (q->head[room] == NONE) {
        q->some[room / 64] &= ~(1ull << room % 64);
        if (!q->some[room / 64])
            q->any[room / 4096] &= ~(1ull << room / 64 % 64);
    }
    return r;
}

/* Pieces, the longest first, of equals the earlier: a counting sort. */
static uint32_t *longest_first(const uint32_t *len, size_t n, uint32_t seq)
{
    uint32_t *order = lm_reallocn(NULL, n + 1, sizeof *order);
    size_t *at = lm_zalloc((size_t)seq + 2, sizeof *at);

    for (size_t i = 0; i < n; i++)
        at[seq - len[i] + 1]++;
    for (uint32_t k = 1; k <= seq; k++)
        at[k] += at[k - 1];
    for (size_t i = 0; i < n; i++)
        order[at[seq - len[i]]++] = (uint32_t)i;
    free(at);
    return order;
}

size_t lm_bestfit(const uint32_t *len, size_t n, uint32_t seq, uint32_t most, uint32_t *row)
{
    uint32_t *order = longest_first(len, n, seq), *name, named = 0;
    size_t rows = 0, cap = 0;
    open_row *open = NULL;
    queues q = {.words = (size_t)seq / 64 + 1};

    q.head = lm_reallocn(NULL, (size_t)seq + 1, sizeof *q.head);
    q.tail = lm_reallocn(NULL, (size_t)seq + 1, sizeof *q.tail);
    q.some = lm_zalloc(q.words, sizeof *q.some);
    q.any = lm_zalloc(q.words / 64 + 1, sizeof *q.any);
    memset(q.head, 0xff, ((size_t)seq + 1) * sizeof *q.head);
    for (size_t i = 0; i < n; i++) {
        uint32_t p = order[i], room = least(&q, len[p]), r;

        if (room != NONE) {
            r = take(&q, open, room);
        } else {
            LM_GROW(open, rows, cap);
            r = (uint32_t)rows++;
            open[r] = (open_row){.left = seq};
        }
        row[p] = r;
        open[r].left -= len[p];
        if (open[r].left && ++open[r].pieces < most)
            add(&q, open, r);
    }
    name = lm_reallocn(NULL, rows + 1, sizeof *name);
    memset(name, 0xff, rows * sizeof *name);
    for (size_t i = 0; i < n; i++) {
        if (name[row[i]] == NONE)
            name[row[i]] = named++;
        row[i] = name[row[i]];
    }
    free(name);
    free(open);
    free(order);
    free(q.head);
    free(q.tail);
    free(q.some);
    free(q.any);
    return rows;
}
