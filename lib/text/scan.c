/* scan: the one door to the scanners. */
#include "kernels/cpu.h"
#include "text/scan-priv.h"
#include "text/scanmask.h"

size_t lm_scan_slow(const lm_pre *pre, const char *p, size_t n, lm_scan_pos *pos, size_t *ends,
                    size_t cap)
{
    if (pre->scan)
        return pre->scan(pre, p, n, pos, ends, cap);
    return lm_scan_plain(pre->kind, p, n, &pos->at, ends, cap);
}

static bool by_masks(const lm_pre *pre, lm_scan_pos *pos)
{
    if (!pos->op)
        pos->op = lm_data_kernels();
    return pos->op && pos->op->level > LM_CPU_REF && lm_scan_has_masks(pre->kind);
}

size_t lm_scan_batch(const lm_pre *pre, const char *p, size_t n, lm_scan_pos *pos, uint32_t *ends)
{
    size_t from = pos->at, far[256], k;

    if (from >= n)
        return 0;
    if (by_masks(pre, pos)) {
        k = lm_scan_window(pos->op, pre->kind, p + from, n - from, LM_SCAN_WINDOW, ends,
                           &pos->ascii);
        if (k) {
            pos->at += ends[k - 1];
            return k;
        }
        lm_scan_plain(pre->kind, p, n, &pos->at, far, 1);
        far[0] = pos->at;
        k = 1;
    } else {
        k = lm_scan_slow(pre, p, n, pos, far, LM_COUNT(far));
    }
    pos->ascii = false;
    for (size_t i = 0; i < k; i++) {
        if (far[i] - from > UINT32_MAX) {
            lm_scan_stop(pos);
            pos->err = lm_err(LM_ELIMIT, "a pretoken of 4 GiB or more");
            return 0;
        }
        ends[i] = (uint32_t)(far[i] - from);
    }
    return k;
}

size_t lm_scan_lines(const lm_pre *pre, const char *p, size_t n, lm_scan_pos *pos, uint32_t *ends)
{
    return by_masks(pre, pos) ? lm_scan_lines_window(pos->op, pre->kind, p, n, LM_SCAN_WINDOW, ends)
                              : 0;
}

size_t lm_scan(const lm_pre *pre, const char *p, size_t n, lm_scan_pos *pos, size_t *ends,
               size_t cap)
{
    enum { MOST = LM_SCAN_WINDOW / 8 };
    uint32_t end[MOST + 64];
    bool ascii;
    size_t from = pos->at, window = cap > MOST ? MOST : cap ? (cap - 1) / 64 * 64 : 0, k;

    if (from >= n || !window || !by_masks(pre, pos))
        return lm_scan_slow(pre, p, n, pos, ends, cap);
    if (!(k = lm_scan_window(pos->op, pre->kind, p + from, n - from, window, end, &ascii)))
        return lm_scan_slow(pre, p, n, pos, ends, 1);
    for (size_t i = 0; i < k; i++)
        ends[i] = from + end[i];
    pos->at = ends[k - 1];
    return k;
}

void lm_scan_stop(lm_scan_pos *pos)
{
    free(pos->run);
    pos->run = NULL;
}
