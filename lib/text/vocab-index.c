/* vocab-index: the tables that encoding reads, made of a loaded vocabulary. */
#include "kernels/cpu.h"
#include "text/vocab-priv.h"

/* A vocabulary is ordered if merge k makes the k-th of rising ids of lower ones, and no token is
   made twice: then the lower of two ids is the earlier merge, no rank is needed, and a token is
   younger than its parts. */
static bool is_ordered(const lm_vocab *v)
{
    uint32_t last = 0;

    if (v->size >= 1u << 21)
        return false;
    for (size_t i = 0; i < v->nmerge; last = v->merge[i++][2])
        if ((i && v->merge[i][2] <= last) || v->merge[i][0] >= v->merge[i][2] ||
            v->merge[i][1] >= v->merge[i][2])
            return false;
    for (unsigned b = 0; b < 256; b++) /* a byte is a leaf, below every merge */
        if (v->byte[b] == LM_NO_ID || (v->nmerge && v->byte[b] > v->merge[0][2]))
            return false;
    return true;
}

/* The pairs of ids that fit 16 bits, at a load of 1/2: a full line costs a branch foreseen badly.
 */
static void index_narrow(lm_vocab *v)
{
    uint32_t lines = (uint32_t)(v->nmerge * 2 / LM_MERGE_WAYS + 1);
    lm_mergeline *line = lm_alloc_huge(lines * sizeof *line);

    memset(line, 0xff, lines * sizeof *line);
    for (uint32_t i = 0; i < lines; i++)
        line[i].more = 0;
    for (size_t m = 0; m < v->nmerge; m++) {
        uint32_t pair = v->merge[m][0] << 16 | v->merge[m][1], k;
        lm_mergeline *l = &line[lm_merge_line(pair, lines)];

        while (l->id[LM_MERGE_WAYS - 1] != LM_NARROW_NONE) {
            l->more = 1;
            l = l + 1 < line + lines ? l + 1 : line;
        }
        for (k = 0; l->id[k] != LM_NARROW_NONE; k++) {
        }
        l->key[k] = pair;
        l->id[k] = (uint16_t)v->merge[m][2];
    }
    v->merges = (lm_mergetab){line, lines};
}

static void index_pairs(lm_vocab *v)
{
    unsigned bits = 4;
    uint32_t top = v->nmerge ? v->merge[v->nmerge - 1][2] : 0;
    uint64_t *slot, mask;

    for (; 8ull << bits < 2 * v->nmerge; bits++) {
    }
    mask = (8ull << bits) - 1;
    slot = lm_alloc_huge((mask + 1) * sizeof *slot);
    memset(slot, 0xff, (mask + 1) * sizeof *slot);
    v->join = (lm_jointab){slot, bits};
    v->pair2 = lm_reallocn(NULL, 65536, sizeof *v->pair2);
    memset(v->pair2, 0xff, 65536 * sizeof *v->pair2);
    for (unsigned b = 0; b < 256; b++)
        top = v->byte[b] > top ? v->byte[b] : top;
    if (top < LM_NARROW_NONE)
        index_narrow(v);
    v->split = lm_reallocn(NULL, (size_t)v->size + 1, sizeof *v->split);
    for (uint32_t id = 0; id < v->size; id++)
        v->split[id][0] = v->split[id][1] = id;
    for (size_t i = 0; i < v->nmerge; i++) {
        uint32_t left = v->merge[i][0], right = v->merge[i][1], id = v->merge[i][2];
        lm_str a = v->token[left], b = v->token[right];
        uint64_t pair = (uint64_t)left << 21 | right, h = lm_join_line(pair, bits) * 8;

        while (slot[h] != UINT64_MAX)
            h = (h + 1) & mask;
        slot[h] = pair << 22 | id;
        v->split[id][0] = left;
        v->split[id][1] = right;
        if (a.n == 1 && b.n == 1)
            v->pair2[(unsigned char)a.p[0] << 8 | (unsigned char)b.p[0]] = id;
    }
}

/* Which tokens their own bytes are merged to. In an ordered vocabulary: those of which both halves
   are such and last side by side until the merge. */
static void find_whole(lm_vocab *v, uint8_t *whole)
{
    bool ignore = v->ignore_merges;
    lm_ids ids = {0};

    v->ignore_merges = false;
    for (unsigned b = 0; b < 256; b++)
        if (v->byte[b] != LM_NO_ID)
            whole[v->byte[b]] = 1;
    for (size_t i = 0; i < v->nmerge; i++) {
        uint32_t left = v->merge[i][0], right = v->merge[i][1], id = v->merge[i][2];

        ids.n = 0;
        if (v->ordered)
            whole[id] = whole[left] && whole[right] && lm_pair_lasts(v, left, right, id);
        else if (!whole[id])
            whole[id] = lm_vocab_word(v, v->token[id].p, v->token[id].n, &ids) >= 0 && ids.n == 1 &&
                        ids.v[0] == id;
    }
    free(ids.v);
    v->ignore_merges = ignore;
}

/* Lines of n words at a load of at most 2/3, as a shift of hashes. */
static unsigned shift_for(size_t n, size_t ways)
{
    unsigned bits = 4;

    for (; (ways << bits) * 2 < n * 3; bits++) {
    }
    return 64 - bits;
}

/* Where a line is full the later, rarer words are left out. */
static void index_words(lm_vocab *v, const uint8_t *whole)
{
    lm_wordtab *t = &v->word;
    lm_shortline *few;
    lm_longline *many;
    size_t nfew = 0, nmany = 0, i;

    for (uint32_t id = 0; id < v->size; id++) {
        nfew += whole[id] && v->token[id].n <= LM_WORD_SHORT;
        nmany += whole[id] && v->token[id].n > LM_WORD_SHORT && v->token[id].n <= LM_WORD_LONG;
    }
    t->fewshift = shift_for(nfew, LM_SHORT_WAYS);
    t->manyshift = shift_for(nmany, LM_LONG_WAYS);
    t->few = few = lm_alloc_huge(sizeof *few << (64 - t->fewshift));
    t->many = many = lm_alloc_huge(sizeof *many << (64 - t->manyshift));
    for (i = 0; i < (size_t)1 << (64 - t->fewshift); i++)
        few[i].id[LM_SHORT_WAYS] = LM_WORD_NONE;
    for (i = 0; i < (size_t)1 << (64 - t->manyshift); i++)
        many[i].id[LM_LONG_WAYS] = LM_WORD_NONE;
    for (uint32_t id = 0; id < v->size; id++) {
        lm_str s = v->token[id];
        uint64_t k[2] = {0, 0};

        if (!whole[id] || !s.n || s.n > LM_WORD_LONG)
            continue;
        memcpy(k, s.p, s.n);
        if (s.n <= LM_WORD_SHORT) {
            uint64_t key = k[0] | (uint64_t)s.n << 56;
            lm_shortline *line = few + (lm_short_hash(key) >> t->fewshift);

            for (i = 0; i < LM_SHORT_WAYS && line->key[i]; i++) {
            }
            if (i < LM_SHORT_WAYS) {
                line->key[i] = key;
                line->id[i] = id;
            }
        } else {
            lm_longline *line;

            k[1] |= (uint64_t)s.n << 56;
            line = many + (lm_long_hash(k[0], k[1]) >> t->manyshift);
            for (i = 0; i < LM_LONG_WAYS && line->key[i][1]; i++) {
            }
            if (i < LM_LONG_WAYS) {
                memcpy(line->key[i], k, sizeof k);
                line->id[i] = id;
            }
        }
    }
}

int lm_vocab_index(lm_vocab *v)
{
    uint8_t *whole = lm_zalloc((size_t)v->size + 1, 1);
    bool all = true;

    if (!(v->op = lm_data_kernels())) {
        free(whole);
        return lm_cpu_level();
    }
    v->ordered = is_ordered(v);
    if (v->ordered)
        index_pairs(v);
    find_whole(v, whole);
    for (uint32_t id = 0; id < v->size && v->ignore_merges; id++)
        if (v->token[id].p && lm_token_merges(v->flags[id]) && !whole[id]) {
            all = false;
            whole[id] = 1;
        }
    v->ordered &= all; /* else a word is looked up as a whole first */
    index_words(v, whole);
    lm_borders_make(&v->border, v->token, v->size);
    if (v->ordered)
        lm_trie_make(v, whole);
    free(whole);
    return 0;
}

void lm_vocab_index_free(lm_vocab *v)
{
    free(v->pair2);
    free(v->split);
    lm_trie_free(v->trie);
    lm_borders_free(&v->border);
    if (v->join.slot)
        lm_free_huge((void *)v->join.slot, sizeof *v->join.slot * 8 << v->join.bits);
    lm_free_huge((void *)v->merges.line, v->merges.lines * sizeof *v->merges.line);
    if (v->word.few)
        lm_free_huge((void *)v->word.few, sizeof *v->word.few << (64 - v->word.fewshift));
    if (v->word.many)
        lm_free_huge((void *)v->word.many, sizeof *v->word.many << (64 - v->word.manyshift));
}
