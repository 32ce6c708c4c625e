/* epoch: full, by blocks, or as it lies. */
#include "nn/epoch.h"
#include <inttypes.h>
#include <stdio.h>

int lm_order_parse(const char *s, lm_order *o)
{
    const char *arg = s + strlen("block"), *comma;

    *o = (lm_order){LM_ORDER_FULL, 2 << 20, 1024};
    if (!strcmp(s, "full"))
        return 0;
    o->kind = strcmp(s, "none") ? LM_ORDER_BLOCK : LM_ORDER_NONE;
    if (!strcmp(s, "none") || !strcmp(s, "block"))
        return 0;
    if (!strncmp(s, "block:", 6) && (comma = strchr(++arg, ',')) &&
        lm_parse_size((lm_str){arg, (size_t)(comma - arg)}, &o->block) && o->block &&
        lm_parse_u64(lm_cstr(comma + 1), &o->era) && o->era && o->era < 1ull << 32)
        return 0;
    return lm_err(LM_EUSAGE, "--shuffle %s: want full, none, block or block:SIZE,BLOCKS", s);
}

void lm_epochs_init(lm_epochs *e, const lm_order *o, uint64_t rows, uint64_t row_bytes,
                    uint64_t seed)
{
    uint64_t per = o->kind == LM_ORDER_BLOCK ? o->block / row_bytes : 1;

    *e = (lm_epochs){.o = *o, .rows = rows, .per = per ? per : 1, .seed = seed};
    e->epoch = e->era = UINT64_MAX;
    if (o->kind == LM_ORDER_BLOCK && e->per > rows)
        e->per = rows;
}

static uint64_t era_key(const lm_epochs *e)
{
    char epoch[24], era[24];
    lm_str v[2] = {{epoch, 0}, {era, 0}};

    v[0].n = (size_t)snprintf(epoch, sizeof epoch, "%" PRIu64, e->epoch);
    v[1].n = (size_t)snprintf(era, sizeof era, "%" PRIu64, e->era);
    return lm_keyed(e->seed, "era", v, 2);
}

/* Row number i of the epoch, by blocks. */
static uint64_t by_block(lm_epochs *e, uint64_t i, bool fresh)
{
    uint64_t blocks = e->rows / e->per, eras = (blocks + e->o.era - 1) / e->o.era;
    uint64_t span = e->o.era * e->per, era = i / span, block;

    if (era >= eras) /* the block that is not whole */
        era = eras - 1;
    if (fresh || era != e->era) {
        e->era = era;
        lm_perm_key(&e->inner, era + 1 < eras ? span : e->rows - era * span, era_key(e));
    }
    i = lm_perm_at(&e->inner, i - era * span);
    block = era * e->o.era + i / e->per;
    return (block < blocks ? lm_perm_at(&e->perm, block) : blocks) * e->per + i % e->per;
}

uint64_t lm_epochs_at(lm_epochs *e, uint64_t sample)
{
    uint64_t epoch = sample / e->rows, i = sample % e->rows;
    bool fresh = epoch != e->epoch;

    if (e->o.kind == LM_ORDER_NONE)
        return i;
    if (fresh) {
        e->epoch = epoch;
        lm_perm_init(&e->perm, e->rows / e->per, e->seed, epoch);
    }
    return e->o.kind == LM_ORDER_FULL ? lm_perm_at(&e->perm, i) : by_block(e, i, fresh);
}
