/* amx: the tile registers of a thread. That the process may use them lm_cpu_amx has asked for. */
#ifndef LM_AMX_H
#define LM_AMX_H
#include "kernels/x86/v16.h"

/* Eight tiles of 16 rows of 64 bytes (SDM 1, 18.4: palette 1). */
typedef struct {
    uint8_t palette, start, zero[14];
    uint16_t bytes[16];
    uint8_t rows[16];
} __attribute__((aligned(64))) tile_shape;

/* To end by _tile_release: the thread's state is small again. */
INL void tiles_begin(void)
{
    tile_shape s = {.palette = 1};

    for (int i = 0; i < 8; i++)
        s.bytes[i] = 64, s.rows[i] = 16;
    _tile_loadconfig(&s);
}

/* The compilers do not know that tile loads read memory. */
#define AMX_BARRIER __asm__ volatile("" ::: "memory")
#endif
