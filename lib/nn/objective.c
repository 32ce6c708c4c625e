/* objective: span corruption as T5 draws it, and the mixtures of UL2 and UL2R. */
#include "nn/objective.h"
#include <math.h>

const lm_denoiser *lm_mixture(const char *name, size_t *n)
{
#define SEVENTH (1.0 / 7)
    static const lm_denoiser ul2[] = {{3, .15, SEVENTH, 'r'},  {8, .15, SEVENTH, 'r'},
                                      {3, .5, SEVENTH, 'x'},   {8, .5, SEVENTH, 'x'},
                                      {64, .15, SEVENTH, 'x'}, {64, .5, SEVENTH, 'x'},
                                      {0, 0, SEVENTH, 's'}};
    static const lm_denoiser ul2r[] = {{0, 0, .5, 's'},
                                       {3, .15, .25, 'r'},
                                       {32, .15, .125, 'x'},
                                       {3, .5, .125, 'x'}};

    if (!strcmp(name, "ul2")) {
        *n = LM_COUNT(ul2);
        return ul2;
    }
    *n = LM_COUNT(ul2r);
    return strcmp(name, "ul2r") ? NULL : ul2r;
}

const lm_denoiser *lm_mixture_at(const lm_denoiser *rows, size_t n, double x)
{
    size_t i = 0;

    while (i + 1 < n && x >= rows[i].share)
        x -= rows[i++].share;
    return &rows[i];
}

static uint64_t clamp(double x, uint64_t lo, uint64_t hi)
{
    uint64_t n = x < 1 ? 0 : (uint64_t)(x + .5);

    return n < lo ? lo : n > hi ? hi : n;
}

void lm_noise(const lm_denoiser *d, uint64_t n, uint64_t most, uint64_t *spans, uint64_t *noise)
{
    uint64_t outside;

    *noise = clamp((double)n * d->rate, 1, n - 1);
    outside = n - *noise;
    *spans = clamp((double)*noise / d->span, 1, *noise);
    *spans = *spans > outside ? outside : *spans; /* a gap stands before each */
    *spans = *spans > most ? most : *spans;
}

uint64_t lm_noise_room(const lm_denoiser *d, uint64_t most)
{
    return d->span > 0 ? (uint64_t)((double)most * d->span / d->rate) : UINT64_MAX;
}

/* Cuts n into `parts` lengths of at least 1, into len[0], len[2], ..: chooses the cuts one place
   after the other (selection sampling: Knuth, vol. 2, 3.4.2 S). */
static void divide(uint64_t *s, uint64_t n, uint64_t parts, uint32_t *len)
{
    uint64_t cuts = parts - 1, last = 0;

    for (uint64_t at = 1; cuts; at++)
        if (lm_below(s, n - at) < cuts) {
            *len = (uint32_t)(at - last);
            len += 2;
            last = at;
            cuts--;
        }
    *len = (uint32_t)(n - last);
}

void lm_noise_lengths(uint64_t *state, uint64_t n, uint64_t spans, uint64_t noise, uint32_t *len)
{
    divide(state, n - noise, spans, len);
    divide(state, noise, spans, len + 1);
}
