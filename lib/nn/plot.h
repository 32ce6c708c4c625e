/* plot: curves as SVG or as text. Equal data give equal bytes: nothing depends on terminal, locale or clock. */
#ifndef LM_PLOT_H
#define LM_PLOT_H
#include "base/base.h"

typedef struct {
    char *name;                                    /* for the legend; owned by the caller */
    double *x, *y;                                 /* n points, x rising; not finite = a gap */
    size_t n, cap;
    bool dots;                                     /* few points, each marked (validation) */
} lm_series;

typedef struct {
    lm_series *s;
    size_t n;
    const char *title, *xlabel, *ylabel;           /* title may be NULL */
    double *mark;                                  /* x of vertical marks */
    size_t nmark;
    unsigned width, height;                        /* pixels, or characters of the text form */
    bool logx, logy;
    double smooth;                                 /* factor of the moving average, 0 = none */
} lm_plot;

int lm_plot_svg(const lm_plot *p, lm_buf *out);    /* 0, or LM_EINVALID: curves without a point to show */
int lm_plot_term(const lm_plot *p, lm_buf *out);   /* Braille dots; letters where there are several curves */

#endif
