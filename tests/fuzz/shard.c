/* Fuzz target: any bytes as a shard. What is taken is read row by row: no id or place beyond it is
 * touched. */
#include "nn/data.h"
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    enum { SEQ = 8 };
    uint32_t ids[SEQ], tgt[SEQ], start[SEQ], end[SEQ];
    uint8_t w[SEQ];
    lm_row row = {.ids = ids, .tgt = tgt, .start = start, .end = end, .w = w};
    lm_piece piece[SEQ];
    char path[64];
    const char *v = path;
    size_t n_pieces;
    int fd = memfd_create("shard", MFD_CLOEXEC);

    if (fd < 0 || lm_write_all(fd, p, n))
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    for (int mask = 0; mask < 2; mask++) {
        lm_data_opt o = {.seq = SEQ, .docmask = mask, .ids = 1 << 15};
        lm_data *d = lm_data_open(&v, 1, &o);

        for (uint64_t i = 0; d && i < lm_data_about(d)->rows && i < 64; i++) {
            if (lm_data_sample(d, i, &row) == 1)
                for (int k = 0; k < SEQ; k++)
                    if (ids[k] >= 1 << 15 || start[k] > (uint32_t)k ||
                        (row.prefixed && (end[k] < (uint32_t)k || end[k] >= SEQ)))
                        abort();
            if (!lm_data_pieces(d, i, piece, SEQ, &n_pieces) && n_pieces > SEQ)
                abort();
        }
        lm_data_close(d);
    }
    close(fd);
    return 0;
}
