/* spin: six chains of tiles, enough for the matrix unit's 52 cycles; tile order's step is the 32
   products of a block. The other formats are those of avx512; the meaning is ref/spin.c. */
#define NATIVE 0
#include "kernels/x86/spin512.h"
#include "kernels/x86/amx.h"

static double spin_tiles(size_t n, float *sum)
{
    float c[256], s = 0;
    uint16_t a[512], b[512];

    for (size_t i = 0; i < 512; i++)
        a[i] = lm_f32_bf16(1), b[i] = lm_f32_bf16(0x1p-15f);
    tiles_begin();
    AMX_BARRIER;
    _tile_loadd(6, a, 64);
    _tile_loadd(7, b, 64);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
    for (size_t k = 0; k < n; k++) {
        _tile_dpbf16ps(0, 6, 7);
        _tile_dpbf16ps(1, 6, 7);
        _tile_dpbf16ps(2, 6, 7);
        _tile_dpbf16ps(3, 6, 7);
        _tile_dpbf16ps(4, 6, 7);
        _tile_dpbf16ps(5, 6, 7);
    }
    _tile_stored(0, c, 64);
    AMX_BARRIER;
    s += c[0];
    _tile_stored(1, c, 64);
    AMX_BARRIER;
    s += c[17];
    _tile_stored(2, c, 64);
    AMX_BARRIER;
    s += c[34];
    _tile_stored(3, c, 64);
    AMX_BARRIER;
    s += c[51];
    _tile_stored(4, c, 64);
    AMX_BARRIER;
    s += c[68];
    _tile_stored(5, c, 64);
    AMX_BARRIER;
    s += c[255];
    _tile_release();
    *sum = s / 6;
    return 2.0 * 16 * 16 * 32 * 6 * (double)n;
}

static double any_spin(int fmt, size_t n, float *sum)
{
    return fmt == LM_FMT_BF16T ? spin_tiles(n, sum) : spin(fmt, n, sum);
}

LM_KERN(avx512amx, spin)
{
    k->spin = any_spin;
}
