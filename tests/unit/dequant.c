/* Blocks of ggml's types as f32: by hand, and of a pattern of bytes the bits that the Python
   package gguf (0.19.0, quants.dequantize) makes of them. */
#include "tap.h"
#include "nn/dequant.h"
#include "text/gguf.h"

/* at: where in a block its f16 numbers stand, -1 = none; value 37 of all. */
static const struct {
    uint32_t type;
    int at[2];
    unsigned blocks;
    uint32_t crc;
    float v37;
} gold[] = {
    {LM_GGT_F16, {-1, -1}, 64, 0x9f2683bf, 0.00525283813f},
    {LM_GGT_Q4_0, {0, -1}, 3, 0xa60de31f, -0.346801758f},
    {LM_GGT_Q4_1, {0, 2}, 3, 0x21d41b42, 0.057800293f},
    {LM_GGT_Q5_0, {0, -1}, 3, 0xfdad310c, -0.115600586f},
    {LM_GGT_Q5_1, {0, 2}, 3, 0x30dc46d6, 0.404602051f},
    {LM_GGT_Q8_0, {0, -1}, 3, 0xf19f42e0, -7.86083984f},
    {LM_GGT_Q2_K, {80, 82}, 3, 0x90cce5a7, 3.04925537f},
    {LM_GGT_Q3_K, {108, -1}, 3, 0xed742377, 0},
    {LM_GGT_Q4_K, {0, 2}, 3, 0x3c066940, 25.7437134f},
    {LM_GGT_Q5_K, {0, 2}, 3, 0x742037ba, 33.3418579f},
    {LM_GGT_Q6_K, {208, -1}, 3, 0x53e36879, -191.853149f},
};

static void golden(size_t k)
{
    uint64_t n = lm_dequant_block(gold[k].type);
    size_t bytes = lm_gg_bytes(gold[k].type, 1, &n), all = gold[k].blocks * bytes;
    uint8_t *p = lm_alloc(all + 1);
    float *y = lm_alloc(gold[k].blocks * n * sizeof *y);
    char name[64];

    p++; /* as in a file: at any address */
    for (size_t i = 0; i < all; i++) {
        p[i] = (uint8_t)(i * 167 + 13 + i * i / 7);
        if (gold[k].type == LM_GGT_F16 && i % 2)
            p[i] &= 0x3f;
    }
    for (unsigned b = 0; b < gold[k].blocks; b++)
        for (int j = 0; j < 2; j++)
            if (gold[k].at[j] >= 0) {
                uint8_t *d = p + b * bytes + gold[k].at[j];

                d[0] = 0x66;
                d[1] = (uint8_t)(0x2e - 4 * j + (int)b);
            }
    lm_dequant(gold[k].type, p, gold[k].blocks * n, y);
    snprintf(name, sizeof name, "type %u has the bits of gguf", gold[k].type);
    ok(lm_crc32(0, y, gold[k].blocks * n * sizeof *y) == gold[k].crc && y[37] == gold[k].v37, name);
    free(p - 1);
    free(y);
}

static void by_hand(void)
{
    uint8_t q4[20] = {0, 0x38, 0, 0xbc}, q8[34] = {0, 0x34}; /* 0.5 and -1; 0.25 */
    const uint8_t half[] = {0x80, 0x3f, 0x40, 0xc0};
    float y[32];
    bool good = true;

    for (int i = 0; i < 16; i++)
        q4[4 + i] = (uint8_t)(i | (15 - i) << 4);
    lm_dequant(LM_GGT_Q4_1, q4, 32, y);
    for (int i = 0; i < 16; i++)
        good = good && y[i] == 0.5f * (float)i - 1 && y[16 + i] == 0.5f * (float)(15 - i) - 1;
    ok(good, "q4_1: nibbles, low ones first, by scale and minimum");
    for (int i = 0; i < 32; i++)
        q8[2 + i] = (uint8_t)(i * 8 - 128);
    lm_dequant(LM_GGT_Q8_0, q8, 32, y);
    for (int i = 0; i < 32; i++)
        good = good && y[i] == 0.25f * (float)(i * 8 - 128);
    ok(good, "q8_0: signed bytes by a scale");
    lm_dequant(LM_GGT_BF16, half, 2, y);
    ok(y[0] == 1 && y[1] == -3, "bf16");
    ok(!lm_dequant_block(4) && !lm_dequant_block(5) && !lm_dequant_block(16) &&
           !lm_dequant_block(UINT32_MAX),
       "types it does not read");
}

int main(void)
{
    by_hand();
    for (size_t k = 0; k < LM_COUNT(gold); k++)
        golden(k);
    return done();
}
