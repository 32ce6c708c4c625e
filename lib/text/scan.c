/* scan: the one door to the scanners. */
#include "text/scan-priv.h"

size_t lm_scan(const lm_pre *pre, const char *p, size_t n, lm_scan_pos *pos, size_t *ends,
               size_t cap)
{
    if (pre->scan)
        return pre->scan(pre, p, n, pos, ends, cap);
    return lm_scan_plain(pre->kind, p, n, &pos->at, ends, cap);
}

void lm_scan_stop(lm_scan_pos *pos)
{
    free(pos->run);
    pos->run = NULL;
}
