/* Fuzz target: any bytes as a stream of @tok records, as lm-pack, lm-shard and lm-train read them.
 */
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
    lm_data_opt o = {.seq = SEQ, .docmask = true, .ids = 1 << 15};
    char path[64];
    int fd = memfd_create("tok", MFD_CLOEXEC);
    lm_in *in;
    lm_data *d;

    if (fd < 0 || lm_write_all(fd, p, n))
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    in = lm_in_open(path, 0);
    d = lm_data_stream(in, &o);
    for (uint64_t i = 0; i < 1000 && lm_data_sample(d, i, &row) == 1; i++)
        for (int k = 0; k < SEQ; k++)
            if (ids[k] >= 1 << 15 || tgt[k] >= 1 << 15 || start[k] > (uint32_t)k ||
                (row.prefixed && (end[k] < (uint32_t)k || end[k] >= SEQ)))
                abort();
    lm_data_close(d);
    lm_in_close(in);
    close(fd);
    return 0;
}
