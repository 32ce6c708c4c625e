/* merge, what both widths of ids share: what neighbours make in a register, its least and the place
   of that found at once; which places are still a token's in a bit mask. A step waits for the one
   before, so four words go side by side. Equal to kernels/ref/merge.c. The includer gives
     table, lanes
     lanes load(to, n, halves)      lane i: to[i]; from n on LM_MERGE_NONE
     least(lanes, halves, &place)   of a word of up to 8 << halves (and 1) ids; LM_MERGE_NONE
     lanes put(lanes, bit, id)      bit 0: none
     line_of(t, left, right), find(t, left, right, line) */
enum { SIDE = 4, NONE = 256 };
typedef struct {
    lanes to;
    uint64_t tokens;               /* bit i + 1: place i begins a token; and 0 and the end, */
    uint32_t id[LM_MERGE_MAX + 2]; /* which have ids that no pair holds; of place i: [i + 1] */
    size_t at;                     /* the word's number */
} word;

static inline void begin(word *w, const uint32_t *id, const uint32_t *to, size_t n, size_t at,
                         int halves)
{
    w->to = load(to, n, halves);
    w->tokens = (4ull << n) - 1;
    w->id[0] = LM_MERGE_NONE;
    _mm512_storeu_si512(w->id + 1, _mm512_loadu_si512(id));
    if (halves > 1)
        _mm512_storeu_si512(w->id + 17, _mm512_loadu_si512(id + 16));
    else
        w->id[17] = id[16];
    w->id[n + 1] = LM_MERGE_NONE;
    w->at = at;
}

/* One merge; false if there was none. */
static inline bool step(const table *t, word *w, int halves)
{
    uint32_t i, before, second, behind, left, right, made = least(w->to, halves, &i), m, k;
    uint64_t rest;

    if (made == LM_MERGE_NONE)
        return false;
    i++;
    before = 63 - (uint32_t)__builtin_clzll(_bzhi_u64(w->tokens, i));
    rest = w->tokens >> i >> 1;
    second = (uint32_t)_tzcnt_u64(rest) + i + 1;
    behind = (uint32_t)_tzcnt_u64(_blsr_u64(rest)) + i + 1;
    w->tokens ^= 1ull << second;
    w->id[i] = made;
    left = w->id[before];
    right = w->id[behind];
    m = line_of(t, left, made);
    k = line_of(t, made, right);
    m = before ? m : k; /* nothing is there: any line will do */
    k = right == LM_MERGE_NONE ? m : k;
    w->to = put(w->to, (uint32_t)(1ull << second >> 1), LM_MERGE_NONE);
    w->to = put(w->to, 1u << (i - 1), find(t, made, right, k));
    w->to = put(w->to, 1u << before >> 1, find(t, left, made, m));
    return true;
}

/* Packs the ids; how many. */
static inline uint8_t end(const word *w, uint32_t *id, int halves)
{
    uint32_t m = (uint32_t)(w->tokens >> 1), low = m & 0xffff;

    _mm512_storeu_si512(
        id, _mm512_maskz_compress_epi32((__mmask16)low, _mm512_loadu_si512(w->id + 1)));
    if (halves > 1)
        _mm512_storeu_si512(
            id + _mm_popcnt_u32(low),
            _mm512_maskz_compress_epi32((__mmask16)(m >> 16), _mm512_loadu_si512(w->id + 17)));
    else
        id[_mm_popcnt_u32(low)] = w->id[17];
    return (uint8_t)(_mm_popcnt_u64(w->tokens) - 2);
}

/* The n words of `order`. */
static inline void merge(const table *t, const uint8_t *order, size_t n,
                         uint32_t (*id)[LM_MERGE_MAX], uint32_t (*to)[LM_MERGE_MAX], uint8_t *len,
                         int halves)
{
    const uint32_t none[LM_MERGE_MAX] = {LM_MERGE_NONE};
    size_t next = 0, busy = SIDE;
    word w[SIDE];

    /* a word that is done makes room for the next */
#define NEXT(w) \
    if (next < n) { \
        size_t at = order[next++]; \
\
        begin((w), id[at], to[at], len[at], at, halves); \
    } else { \
        begin((w), none, none, 1, NONE, halves); \
        busy--; \
    }
#define TURN(w) \
    if (!step(t, (w), halves) && (w)->at != NONE) { \
        len[(w)->at] = end((w), id[(w)->at], halves); \
        NEXT(w) \
    }
    NEXT(&w[0])
    NEXT(&w[1])
    NEXT(&w[2])
    NEXT(&w[3])
    while (busy) {
        TURN(&w[0])
        TURN(&w[1])
        TURN(&w[2])
        TURN(&w[3])
    }
#undef NEXT
#undef TURN
}

/* All words, by length. */
static inline void merge_all(const table *t, size_t words, uint32_t (*id)[LM_MERGE_MAX],
                             uint32_t (*to)[LM_MERGE_MAX], uint8_t *n)
{
    static const uint8_t halves[LM_MERGE_MAX + 1] = {[10] = 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2,
                                                     2,        2, 2, 2, 2, 2, 2, 2, 2, 2, 2};

    for (size_t some; words; words -= some, id += some, to += some, n += some) {
        uint8_t order[3][256];
        size_t k[3] = {0};

        some = words < 256 ? words : 256;
        for (size_t i = 0; i < some; i++) {
            size_t h = halves[n[i]];

            order[h][k[h]++] = (uint8_t)i;
        }
        merge(t, order[0], k[0], id, to, n, 0);
        merge(t, order[1], k[1], id, to, n, 1);
        merge(t, order[2], k[2], id, to, n, 2);
    }
}
