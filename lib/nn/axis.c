/* axis: ticks a reader would have chosen. */
#include "nn/axis.h"
#include <math.h>

/* The least of 1, 2, 5 x 10^k that is not below v. */
static double round_step(double v)
{
    double p = pow(10, floor(log10(v))), f = v / p;

    return (f <= 1.0000001 ? 1 : f <= 2.0000001 ? 2 : f <= 5.0000001 ? 5 : 10) * p;
}

static void fit_log(lm_axis *a, unsigned want)
{
    static const double part[] = {1, 2, 5};
    int from = (int)floor(log10(a->lo)), to = (int)ceil(log10(a->hi));
    int parts = to - from <= 2 ? 3 : 1, by = (to - from) / (int)want + 1;

    for (int e = from; e <= to && a->n<LM_TICKS; e += parts> 1 ? 1 : by)
        for (int k = 0; k < parts && a->n < LM_TICKS; k++) {
            double v = part[k] * pow(10, e);

            if (v >= a->lo * 0.9999999 && v <= a->hi * 1.0000001)
                a->tick[a->n++] = v;
        }
}

void lm_axis_fit(lm_axis *a, double lo, double hi, bool log, unsigned want, bool widen)
{
    double step;

    *a = (lm_axis){.lo = lo, .hi = hi, .log = log};
    if (log) {
        if (hi <= lo)
            a->hi = lo * 10;
        fit_log(a, want);
        if (a->n >= 2 || !widen)
            return;
        /* less than a decade without two round numbers: go on as if it were linear */
    }
    if (hi <= lo) {
        a->hi = lo + (lo != 0 ? fabs(lo) * 0.1 : 1);
        a->lo = hi - (hi != 0 ? fabs(hi) * 0.1 : 1);
        lo = a->lo;
        hi = a->hi;
    }
    step = round_step((hi - lo) / want);
    a->n = 0;
    if (widen && !log) {
        a->lo = floor(lo / step + 1e-9) * step;
        a->hi = ceil(hi / step - 1e-9) * step;
    }
    for (double k = ceil(a->lo / step - 1e-9); k * step <= a->hi + step * 1e-9 && a->n < LM_TICKS;
         k++)
        a->tick[a->n++] = k * step;
}

double lm_axis_at(const lm_axis *a, double v)
{
    if (a->log)
        return log10(v / a->lo) / log10(a->hi / a->lo);
    return (v - a->lo) / (a->hi - a->lo);
}

void lm_axis_label(const lm_axis *a, double v, char out[24])
{
    double top = fmax(fabs(a->lo), fabs(a->hi)),
           small = a->n > 1 ? fabs(a->tick[1] - a->tick[0]) : top;

    if (v == 0)
        snprintf(out, 24, "0");
    else if (fabs(v) >= 1e9)
        snprintf(out, 24, "%.6gG", v / 1e9);
    else if (fabs(v) >= 1e6)
        snprintf(out, 24, "%.6gM", v / 1e6);
    else if (fabs(v) >= 1e4)
        snprintf(out, 24, "%.6gk", v / 1e3);
    else if (fabs(v) < 1e-3 || (!a->log && small < 1e-4))
        snprintf(out, 24, "%.2g", v);
    else
        snprintf(out, 24, "%.6g", v);
}
