/* plotint: what the two forms of a plot share. */
#ifndef LM_PLOTINT_H
#define LM_PLOTINT_H
#include "nn/plot.h"
#include "nn/axis.h"

/* The axes of all points that can be shown (finite, positive under log). 0 or LM_EINVALID. */
int lm_plot_axes(const lm_plot *p, lm_axis *x, lm_axis *y, unsigned wantx, unsigned wanty);
/* Values of s as drawn: smoothed if the plot says so; the caller frees. */
double *lm_plot_values(const lm_plot *p, const lm_series *s);
bool lm_plot_shown(const lm_plot *p, double x, double y);

#endif
