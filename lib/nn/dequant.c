/* dequant: layouts as ggml-common.h has them. A scale d and a minimum m are f16; of the K types
   each 256 values have d and m, and 8 or 16 groups of them small whole numbers by which these are
   multiplied. */
#include "nn/dequant.h"
#include "text/gguf.h"
#include "kernels/kern.h"

enum { K = 256 };

static float f16(const uint8_t *p)
{
    return lm_f16_f32((uint16_t)(p[0] | p[1] << 8));
}

static void widen16(uint32_t type, const uint8_t *p, float *y)
{
    *y = type == LM_GGT_F16 ? f16(p) : lm_bf16_f32((uint16_t)(p[0] | p[1] << 8));
}

/* 32 values: low nibbles are 0..15, high ones 16..31. */
static void q4_0(uint32_t type, const uint8_t *p, float *y)
{
    float d = f16(p);

    (void)type;
    for (int i = 0; i < 16; i++) {
        y[i] = d * (float)((p[2 + i] & 15) - 8);
        y[i + 16] = d * (float)((p[2 + i] >> 4) - 8);
    }
}

static void q4_1(uint32_t type, const uint8_t *p, float *y)
{
    float d = f16(p), m = f16(p + 2);

    (void)type;
    for (int i = 0; i < 16; i++) {
        y[i] = d * (float)(p[4 + i] & 15) + m;
        y[i + 16] = d * (float)(p[4 + i] >> 4) + m;
    }
}

/* The fifth bits of the 32 stand in one word. */
static void q5(uint32_t type, const uint8_t *p, float *y)
{
    bool min = type == LM_GGT_Q5_1;
    float d = f16(p), m = min ? f16(p + 2) : 0;
    const uint8_t *h = p + (min ? 4 : 2), *q = h + 4;

    for (int i = 0; i < 32; i++) {
        int v = (i < 16 ? q[i] & 15 : q[i - 16] >> 4) | (h[i / 8] >> i % 8 & 1) << 4;

        y[i] = min ? d * (float)v + m : d * (float)(v - 16);
    }
}

static void q8_0(uint32_t type, const uint8_t *p, float *y)
{
    float d = f16(p);

    (void)type;
    for (int i = 0; i < 32; i++)
        y[i] = (float)(int8_t)p[2 + i] * d;
}

/* 16 groups of 16: 4 bits of scale, 4 of minimum each; two bits a value, a byte those of 4 values
   32 apart. */
static void q2_k(uint32_t type, const uint8_t *p, float *y)
{
    const uint8_t *q = p + 16;
    float d = f16(p + 80), m = f16(p + 82);

    (void)type;
    for (int i = 0; i < K; i++) {
        int v = q[i / 128 * 32 + i % 32] >> i % 128 / 32 * 2 & 3, g = p[i / 16];

        y[i] = d * (float)(g & 15) * (float)v - m * (float)(g >> 4);
    }
}

/* A mask of third bits (0: 4 less), two bits a value as above, 16 scales of six bits, then d. */
static void q3_k(uint32_t type, const uint8_t *p, float *y)
{
    const uint8_t *q = p + 32, *s = p + 96;
    float d = f16(p + 108);

    (void)type;
    for (int i = 0; i < K; i++) {
        int v = q[i / 128 * 32 + i % 32] >> i % 128 / 32 * 2 & 3, g = i / 16,
            low = g < 8 ? s[g] & 15 : s[g - 8] >> 4, high = s[8 + g % 4] >> g / 4 * 2 & 3;

        v -= p[i % 32] >> i / 32 & 1 ? 0 : 4;
        y[i] = d * (float)((low | high << 4) - 32) * (float)v;
    }
}

/* Scale and minimum of group g of 8, six bits each, in 12 bytes. */
static void six(const uint8_t *s, int g, float *scale, float *min)
{
    *scale = (float)(g < 4 ? s[g] & 63 : (s[g + 4] & 15) | (s[g - 4] >> 6) << 4);
    *min = (float)(g < 4 ? s[g + 4] & 63 : s[g + 4] >> 4 | (s[g] >> 6) << 4);
}

/* 8 groups of 32, two in the nibbles of 32 bytes; of Q5_K a fifth bit in byte i % 32 of h. */
static void q45_k(uint32_t type, const uint8_t *p, float *y)
{
    bool five = type == LM_GGT_Q5_K;
    const uint8_t *h = p + 16, *q = p + (five ? 48 : 16);
    float d = f16(p), m = f16(p + 2), scale, min;

    for (int i = 0; i < K; i++) {
        int b = q[i / 64 * 32 + i % 32], v = i % 64 < 32 ? b & 15 : b >> 4;

        if (five)
            v |= (h[i % 32] >> i / 32 & 1) << 4;
        six(p + 4, i / 32, &scale, &min);
        y[i] = d * scale * (float)v - m * min;
    }
}

/* Of each 128: four low bits of i and i + 64 share a byte, two high bits of four values 32 apart;
   16 scales are i8, then d. */
static void q6_k(uint32_t type, const uint8_t *p, float *y)
{
    const uint8_t *h = p + 128, *s = p + 192;
    float d = f16(p + 208);

    (void)type;
    for (int i = 0; i < K; i++) {
        int half = i / 128, in = i % 128, low = p[half * 64 + in % 64] >> in / 64 * 4 & 15,
            high = h[half * 32 + in % 32] >> in / 32 * 2 & 3;

        y[i] = d * (float)(int8_t)s[i / 16] * (float)((low | high << 4) - 32);
    }
}

static const struct {
    uint64_t n;
    void (*one)(uint32_t type, const uint8_t *p, float *y);
} block[] = {[LM_GGT_F32] = {1, NULL},    [LM_GGT_F16] = {1, widen16}, [LM_GGT_Q4_0] = {32, q4_0},
             [LM_GGT_Q4_1] = {32, q4_1},  [LM_GGT_Q5_0] = {32, q5},    [LM_GGT_Q5_1] = {32, q5},
             [LM_GGT_Q8_0] = {32, q8_0},  [LM_GGT_Q2_K] = {K, q2_k},   [LM_GGT_Q3_K] = {K, q3_k},
             [LM_GGT_Q4_K] = {K, q45_k},  [LM_GGT_Q5_K] = {K, q45_k},  [LM_GGT_Q6_K] = {K, q6_k},
             [LM_GGT_BF16] = {1, widen16}};

size_t lm_dequant_block(uint32_t type)
{
    return type < LM_COUNT(block) ? block[type].n : 0;
}

void lm_dequant(uint32_t type, const void *src, size_t n, float *out)
{
    const uint8_t *p = src;
    size_t bytes = lm_gg_bytes(type, 1, &block[type].n);

    if (type == LM_GGT_F32) {
        memcpy(out, p, n * sizeof *out);
        return;
    }
    for (size_t i = 0; i < n; i += block[type].n, p += bytes)
        block[type].one(type, p, out + i);
}
