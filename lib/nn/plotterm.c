/* plotterm: curves as text: Braille cells of 2 x 4 dots, or a letter a curve where there are
 * several. */
#include "nn/plotint.h"
#include <math.h>

typedef struct {
    unsigned w, h;
    uint8_t *dot, *who;
    bool *marked; /* a flag a column */
} screen;         /* cells; who: 1 + curve, last one wins */

static void plot(screen *s, int x, int y, size_t who)
{
    static const uint8_t bit[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    size_t cell;

    if (x < 0 || y < 0 || x >= (int)s->w * 2 || y >= (int)s->h * 4)
        return;
    cell = (size_t)(y / 4) * s->w + (size_t)x / 2;
    s->dot[cell] |= bit[y % 4][x % 2];
    s->who[cell] = (uint8_t)(who + 1);
}

static void stroke(screen *s, double x0, double y0, double x1, double y1, size_t who)
{
    int n = (int)ceil(fmax(fabs(x1 - x0), fabs(y1 - y0)));

    for (int i = 0; i <= n; i++) {
        double f = n ? (double)i / n : 0;

        plot(s, (int)lround(x0 + f * (x1 - x0)), (int)lround(y0 + f * (y1 - y0)), who);
    }
}

static void curve(screen *s, const lm_plot *p, const lm_axis *ax, const lm_axis *ay, size_t who)
{
    const lm_series *c = &p->s[who];
    double *v = lm_plot_values(p, c), gx = 0, gy = 0;
    bool pen = false;

    for (size_t i = 0; i < c->n; i++) {
        double x, y;

        if (!lm_plot_shown(p, c->x[i], v[i])) {
            pen = false;
            continue;
        }
        x = lm_axis_at(ax, c->x[i]) * (s->w * 2 - 1);
        y = (1 - lm_axis_at(ay, v[i])) * (s->h * 4 - 1);
        stroke(s, pen ? gx : x, pen ? gy : y, x, y, who);
        gx = x;
        gy = y;
        pen = true;
    }
    free(v);
}

static void cell(const screen *s, lm_buf *b, size_t at, bool letters)
{
    char u[4];

    if (!s->dot[at])
        lm_buf_adds(b, s->marked[at % s->w] ? "\xe2\x94\x8a" : " ");
    else if (letters)
        lm_buf_addc(b, (char)('a' + (s->who[at] - 1) % 26));
    else
        lm_buf_add(b, u, lm_utf8_put(u, 0x2800u + s->dot[at]));
}

/* The tick whose row this is, or nothing. */
static void row_label(const lm_axis *y, unsigned row, unsigned h, char out[24])
{
    out[0] = 0;
    for (size_t i = 0; i < y->n; i++)
        if ((unsigned)lround((1 - lm_axis_at(y, y->tick[i])) * (h - 1)) == row)
            lm_axis_label(y, y->tick[i], out);
}

static void bottom(const lm_plot *p, const lm_axis *x, unsigned w, lm_buf *b)
{
    lm_buf line = {0};

    lm_buf_adds(b, "         \xe2\x94\x94");
    for (unsigned i = 0; i < w; i++)
        lm_buf_adds(b, "\xe2\x94\x80");
    lm_buf_addc(b, '\n');
    for (size_t i = 0; i < x->n; i++) {
        char l[24];
        size_t at = 10 + (size_t)lround(lm_axis_at(x, x->tick[i]) * (w - 1)), n;

        lm_axis_label(x, x->tick[i], l);
        n = strlen(l);
        at = at >= n / 2 ? at - n / 2 : 0;
        if (line.n && at < line.n + 2)
            continue;
        while (line.n < at)
            lm_buf_addc(&line, ' ');
        lm_buf_add(&line, l, n);
    }
    lm_buf_addf(b, "%s  %s\n", line.p ? line.p : "", p->xlabel);
    lm_buf_free(&line);
}

int lm_plot_term(const lm_plot *p, lm_buf *b)
{
    screen s = {.w = p->width > 30 ? p->width - 11 : 20, .h = p->height > 8 ? p->height - 3 : 5};
    lm_axis x, y;
    int err = lm_plot_axes(p, &x, &y, s.w / 14, s.h / 3);

    if (err)
        return err;
    s.dot = lm_zalloc(s.w, s.h);
    s.who = lm_zalloc(s.w, s.h);
    s.marked = lm_zalloc(s.w, sizeof *s.marked);
    for (size_t i = 0; i < p->n; i++)
        curve(&s, p, &x, &y, i);
    for (size_t i = 0; i < p->nmark; i++) {
        double at = lm_plot_shown(p, p->mark[i], 1) ? lm_axis_at(&x, p->mark[i]) : -1;

        if (at >= 0 && at <= 1)
            s.marked[lround(at * (s.w - 1))] = true;
    }
    if (p->title)
        lm_buf_addf(b, "          %s\n", p->title);
    for (size_t i = 0; i < p->n; i++) {
        const lm_series *c = &p->s[i];
        double *v = lm_plot_values(p, c);
        size_t k = c->n;

        while (k > 0 && !isfinite(v[k - 1]))
            k--;
        if (p->n > 1)
            lm_buf_addf(b, "%s%c %s", i ? "   " : "          ", (char)('a' + i % 26), c->name);
        else
            lm_buf_addf(b, "          %s", c->name);
        if (k)
            lm_buf_addf(b, " %.4g", v[k - 1]);
        free(v);
    }
    lm_buf_addc(b, '\n');
    for (unsigned r = 0; r < s.h; r++) {
        char l[24];
        lm_buf line = {0};
        size_t end = s.w;

        row_label(&y, r, s.h, l);
        lm_buf_addf(b, "%8s %s", l, l[0] ? "\xe2\x94\xa4" : "\xe2\x94\x82");
        while (end > 0 && !s.dot[(size_t)r * s.w + end - 1] && !s.marked[end - 1])
            end--;
        for (size_t i = 0; i < end; i++)
            cell(&s, &line, (size_t)r * s.w + i, p->n > 1);
        lm_buf_addf(b, "%s\n", line.p ? line.p : "");
        lm_buf_free(&line);
    }
    bottom(p, &x, s.w, b);
    free(s.dot);
    free(s.who);
    free(s.marked);
    return 0;
}
