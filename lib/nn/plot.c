/* plot: curves as SVG. */
#include "nn/plotint.h"
#include "nn/metric.h"
#include <math.h>

/* Distinct for readers with colour-blindness too, dark enough on white. */
static const char *const colour[] = {"#1f6feb", "#d9480f", "#2b8a3e", "#8e44ad",
                                     "#b8860b", "#c2255c", "#0b7285", "#495057"};

bool lm_plot_shown(const lm_plot *p, double x, double y)
{
    return isfinite(x) && isfinite(y) && (!p->logx || x > 0) && (!p->logy || y > 0);
}

double *lm_plot_values(const lm_plot *p, const lm_series *s)
{
    double *v = lm_reallocn(NULL, s->n ? s->n : 1, sizeof *v);
    lm_ema e = {0};

    for (size_t i = 0; i < s->n; i++)
        v[i] = s->dots || !isfinite(s->y[i]) ? s->y[i] : lm_ema_add(&e, p->smooth, s->y[i]);
    return v;
}

int lm_plot_axes(const lm_plot *p, lm_axis *x, lm_axis *y, unsigned wantx, unsigned wanty)
{
    double x0 = INFINITY, x1 = -INFINITY, y0 = INFINITY, y1 = -INFINITY;

    for (size_t i = 0; i < p->n; i++)
        for (size_t k = 0; k < p->s[i].n; k++) {
            double a = p->s[i].x[k], b = p->s[i].y[k];

            if (!lm_plot_shown(p, a, b))
                continue;
            x0 = fmin(x0, a);
            x1 = fmax(x1, a);
            y0 = fmin(y0, b);
            y1 = fmax(y1, b);
        }
    if (x0 > x1 && p->n)
        return lm_err(LM_EINVALID, "nothing to plot: no value that the axes can show");
    if (x0 > x1) /* no curve at all: an empty frame */
        x0 = y0 = p->logx || p->logy ? 1 : 0, x1 = y1 = 10;
    if (!p->logx && x0 > 0 && x0 < 0.1 * x1)
        x0 = 0; /* a run that begins at step 1 begins at 0 */
    lm_axis_fit(x, x0, x1, p->logx, wantx, false);
    lm_axis_fit(y, y0, y1, p->logy, wanty, true);
    return 0;
}

typedef struct {
    const lm_plot *p;
    lm_buf *b;
    lm_axis x, y;
    double left, top, w, h;
} canvas;

static double px(const canvas *c, double v)
{
    return c->left + c->w * lm_axis_at(&c->x, v);
}
static double py(const canvas *c, double v)
{
    return c->top + c->h * (1 - lm_axis_at(&c->y, v));
}

static void text(lm_buf *b, const char *s)
{
    for (; *s; s++)
        switch (*s) {
        case '<':
            lm_buf_adds(b, "&lt;");
            break;
        case '>':
            lm_buf_adds(b, "&gt;");
            break;
        case '&':
            lm_buf_adds(b, "&amp;");
            break;
        case '"':
            lm_buf_adds(b, "&quot;");
            break;
        default:
            lm_buf_addc(b, (unsigned char)*s < 32 ? ' ' : *s);
        }
}

static void grid(canvas *c)
{
    char l[24];

    lm_buf_adds(c->b, "<g stroke=\"#e3e6ea\" stroke-width=\"1\">\n");
    for (size_t i = 0; i < c->x.n; i++)
        lm_buf_addf(c->b, "<path d=\"M%.1f %.1fV%.1f\"/>\n", px(c, c->x.tick[i]), c->top,
                    c->top + c->h);
    for (size_t i = 0; i < c->y.n; i++)
        lm_buf_addf(c->b, "<path d=\"M%.1f %.1fH%.1f\"/>\n", c->left, py(c, c->y.tick[i]),
                    c->left + c->w);
    lm_buf_adds(c->b, "</g>\n<g fill=\"#57606a\" font-size=\"12\">\n");
    for (size_t i = 0; i < c->x.n; i++) {
        lm_axis_label(&c->x, c->x.tick[i], l);
        lm_buf_addf(c->b, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n",
                    px(c, c->x.tick[i]), c->top + c->h + 18, l);
    }
    for (size_t i = 0; i < c->y.n; i++) {
        lm_axis_label(&c->y, c->y.tick[i], l);
        lm_buf_addf(c->b, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
                    c->left - 8, py(c, c->y.tick[i]) + 4, l);
    }
    lm_buf_addf(c->b, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", c->left + c->w / 2,
                c->top + c->h + 38);
    text(c->b, c->p->xlabel);
    lm_buf_addf(
        c->b, "</text>\n<text transform=\"translate(16 %.1f) rotate(-90)\" text-anchor=\"middle\">",
        c->top + c->h / 2);
    text(c->b, c->p->ylabel);
    lm_buf_adds(c->b, "</text>\n</g>\n");
    lm_buf_addf(c->b, "<path d=\"M%.1f %.1fV%.1fH%.1f\" fill=\"none\" stroke=\"#57606a\"/>\n",
                c->left, c->top, c->top + c->h, c->left + c->w);
    for (size_t i = 0; i < c->p->nmark; i++)
        if (lm_plot_shown(c->p, c->p->mark[i], 1))
            lm_buf_addf(
                c->b, "<path d=\"M%.1f %.1fV%.1f\" stroke=\"#cf222e\" stroke-dasharray=\"4 3\"/>\n",
                px(c, c->p->mark[i]), c->top, c->top + c->h);
}

/* The path of a curve. Points of one pixel column become its first, least, greatest and last. */
static void path(canvas *c, const lm_series *s, const double *v)
{
    bool pen = false;
    double gx = 0, gy = 0;

    for (size_t i = 0; i < s->n;) {
        size_t at[4] = {i, i, i, i}, k = i;

        if (!lm_plot_shown(c->p, s->x[i], v[i])) {
            pen = false;
            i++;
            continue;
        }
        for (; k < s->n && lm_plot_shown(c->p, s->x[k], v[k]) &&
               floor(px(c, s->x[k])) == floor(px(c, s->x[i]));
             k++) {
            if (v[k] < v[at[1]])
                at[1] = k;
            if (v[k] > v[at[2]])
                at[2] = k;
            at[3] = k;
        }
        if (at[1] > at[2]) {
            size_t t = at[1];

            at[1] = at[2];
            at[2] = t;
        }
        for (int j = 0; j < 4; j++) {
            double x = px(c, s->x[at[j]]), y = py(c, v[at[j]]);

            if (pen && fabs(x - gx) < 0.05 && fabs(y - gy) < 0.05)
                continue;
            lm_buf_addf(c->b, "%c%.1f %.1f", pen ? 'L' : 'M', x, y);
            pen = true;
            gx = x;
            gy = y;
        }
        i = k;
    }
}

static void curve(canvas *c, size_t i)
{
    const lm_series *s = &c->p->s[i];
    const char *col = colour[i % LM_COUNT(colour)];
    double *v = lm_plot_values(c->p, s);

    if (c->p->smooth > 0 && !s->dots) {
        lm_buf_addf(c->b, "<path fill=\"none\" stroke=\"%s\" stroke-opacity=\"0.25\" d=\"", col);
        path(c, s, s->y);
        lm_buf_adds(c->b, "\"/>\n");
    }
    lm_buf_addf(
        c->b,
        "<path fill=\"none\" stroke=\"%s\" stroke-width=\"1.8\" stroke-linejoin=\"round\" d=\"",
        col);
    path(c, s, v);
    lm_buf_adds(c->b, "\"/>\n");
    for (size_t k = 0; s->dots && k < s->n; k++)
        if (lm_plot_shown(c->p, s->x[k], v[k]))
            lm_buf_addf(c->b,
                        "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"#fff\" stroke=\"%s\""
                        " stroke-width=\"1.8\"/>\n",
                        px(c, s->x[k]), py(c, v[k]), col);
    free(v);
}

/* Name and last value of each curve, in the corner where falling curves leave room. */
static void legend(canvas *c)
{
    size_t longest = 0;
    double x, w;

    for (size_t i = 0; i < c->p->n; i++)
        longest = strlen(c->p->s[i].name) > longest ? strlen(c->p->s[i].name) : longest;
    w = 44 + 7.0 * ((double)longest + 9);
    x = c->left + c->w - w - 8;
    lm_buf_addf(
        c->b,
        "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%zu\" rx=\"4\" fill=\"#fff\""
        " fill-opacity=\"0.9\" stroke=\"#d0d7de\"/>\n<g font-size=\"12\" fill=\"#24292f\">\n",
        x, c->top + 8, w, 10 + 18 * c->p->n);
    for (size_t i = 0; i < c->p->n; i++) {
        const lm_series *s = &c->p->s[i];
        double *v = lm_plot_values(c->p, s), y = c->top + 26 + 18 * (double)i;
        const char *col = colour[i % LM_COUNT(colour)];
        size_t k = s->n;

        lm_buf_addf(c->b, "<path d=\"M%.1f %.1fh20\" stroke=\"%s\" stroke-width=\"2.5\"/>\n",
                    x + 10, y - 4, col);
        if (s->dots)
            lm_buf_addf(c->b,
                        "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"#fff\" stroke=\"%s\""
                        " stroke-width=\"1.8\"/>\n",
                        x + 20, y - 4, col);
        lm_buf_addf(c->b, "<text x=\"%.1f\" y=\"%.1f\">", x + 38, y);
        text(c->b, s->name);
        lm_buf_adds(c->b, "</text>\n");
        while (k > 0 && !isfinite(v[k - 1]))
            k--;
        if (k)
            lm_buf_addf(
                c->b,
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\" fill=\"#57606a\">%.4g</text>\n",
                x + w - 10, y, v[k - 1]);
        free(v);
    }
    lm_buf_adds(c->b, "</g>\n");
}

int lm_plot_svg(const lm_plot *p, lm_buf *b)
{
    canvas c = {.p = p, .b = b, .left = 64, .top = p->title ? 40 : 20};
    int err;

    c.w = p->width - c.left - 24;
    c.h = p->height - c.top - 52;
    if ((err = lm_plot_axes(p, &c.x, &c.y, p->width / 110, p->height / 70)))
        return err;
    lm_buf_addf(
        b,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\""
        " font-family=\"system-ui, sans-serif\">\n<rect width=\"100%%\" height=\"100%%\" "
        "fill=\"#fff\"/>\n",
        p->width, p->height, p->width, p->height);
    if (p->title) {
        lm_buf_addf(
            b, "<text x=\"%.1f\" y=\"24\" font-size=\"16\" font-weight=\"600\" fill=\"#24292f\">",
            c.left);
        text(b, p->title);
        lm_buf_adds(b, "</text>\n");
    }
    grid(&c);
    for (size_t i = 0; i < p->n; i++)
        curve(&c, i);
    legend(&c);
    lm_buf_adds(b, "</svg>\n");
    return 0;
}
