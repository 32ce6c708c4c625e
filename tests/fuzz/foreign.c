/* Fuzz target: any bytes as the token files of other programs. Byte 0 says of which, and how they
   are read; then come the files, each but the last with its length, u16, before it. What is written
   are whole records of ids of the vocabulary, never more of them than there were bytes. */
#include "nn/foreign.h"
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { IDS = 257 };
static const char *const files[LM_FOREIGN_KINDS][4] = {
    [LM_FOREIGN_MDS] = {"index.json", "s"},
    [LM_FOREIGN_MEGATRON] = {"x.idx", "x.bin"},
    [LM_FOREIGN_LLMC] = {"x.bin"},
    [LM_FOREIGN_DATATROVE] = {"x.ds.index", "x.ds.metadata", "x.ds.loss", "x.ds"},
    [LM_FOREIGN_RAW] = {"x"},
    [LM_FOREIGN_NPY] = {"x"}};

static char dir[64];

static void leave(void)
{
    lm_rmtree(dir);
}

static lm_vocab *vocabulary(void)
{
    char bytes[256];
    lm_str token[256], special = LM_STR("<|endoftext|>");
    lm_buf text = {0};
    lm_vocab *v;

    for (int i = 0; i < 256; i++) {
        bytes[i] = (char)i;
        token[i] = (lm_str){bytes + i, 1};
    }
    lm_vocab_write(&(lm_vocab_def){.pre = lm_pre_named(LM_PRE_QWEN2),
                                   .token = token,
                                   .ntoken = 256,
                                   .special = &special,
                                   .nspecial = 1},
                   &text, NULL);
    if (lm_vocab_parse(lm_buf_str(&text), (lm_str){NULL, 0}, &v) < 0 || lm_vocab_size(v) != IDS)
        abort();
    lm_buf_free(&text);
    return v;
}

/* Writes a file for each name; of those a format can do without, none for no bytes. */
static void lay(int kind, const uint8_t *p, size_t n)
{
    char path[128];

    for (int i = 0; i < 4 && files[kind][i]; i++) {
        size_t len = n;
        FILE *f;

        if (i < 3 && files[kind][i + 1]) {
            len = n < 2 ? 0 : (size_t)p[0] | (size_t)p[1] << 8;
            p += n < 2 ? n : 2;
            n -= n < 2 ? n : 2;
            len = len < n ? len : n;
        }
        snprintf(path, sizeof path, "%s/%s", dir, files[kind][i]);
        unlink(path);
        if (len || !strstr(path, ".ds.")) {
            if (!(f = fopen(path, "wb")) || (len && fwrite(p, 1, len, f) != len) || fclose(f))
                abort();
        }
        p += len;
        n -= len;
    }
}

/* The stream on fd is whole or, after an error, sound up to where it stops. */
static void look_at(int fd, bool whole, size_t most)
{
    char path[64];
    lm_rec r = {0};
    lm_tokrec t;
    lm_in *in;
    size_t ids = 0;
    int got;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    in = lm_in_open(path, 0);
    while ((got = lm_next(in, &r)) == 1) {
        if (lm_tokrec_get(&r, &t))
            abort();
        for (uint64_t i = 0; i < t.n; i++)
            if (lm_tokrec_at(&t, i) >= IDS)
                abort();
        ids += t.n;
    }
    /* ids of Megatron and the columns of MDS may lie over each other, of the others none */
    if ((whole && got) || (most && ids > most))
        abort();
    lm_in_close(in);
    lm_rec_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static lm_vocab *v;
    lm_importer m = {.column = "tokens", .max_ratio = 200};
    char path[128];
    int fd, err;

    if (!v) {
        v = vocabulary();
        snprintf(dir, sizeof dir, "/tmp/lm-fuzz.XXXXXX");
        if (!mkdtemp(dir))
            abort();
        atexit(leave);
    }
    if (!n)
        return 0;
    m.kind = p[0] % 6;
    m.cut = p[0] / 6 % 3;
    m.dtype = p[0] / 18 % 5;
    m.seq = p[0] / 90 ? 4 : 0;
    m.vocab = v;
    if (m.kind == LM_FOREIGN_RAW && !m.dtype)
        m.dtype = LM_FOREIGN_U16;
    lay(m.kind, p + 1, n - 1);
    if ((fd = memfd_create("out", MFD_CLOEXEC)) < 0)
        abort();
    m.out = lm_out_fd(fd, "out", LM_OUT_BARE);
    snprintf(path, sizeof path, "%s%s", dir,
             m.kind == LM_FOREIGN_RAW || m.kind == LM_FOREIGN_NPY ? "/x" : "");
    err = lm_foreign_import(&m, path);
    if (err > 0 || (err < 0 && !*lm_last_error()->detail))
        abort();
    if (!err && lm_out_end(m.out))
        abort();
    if (err)
        lm_out_flush(m.out);
    look_at(fd, !err, m.kind == LM_FOREIGN_MEGATRON || m.kind == LM_FOREIGN_MDS ? 0 : n);
    lm_out_close(m.out);
    close(fd);
    for (int i = 0; i < 4 && files[m.kind][i]; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[m.kind][i]);
        unlink(path);
    }
    return 0;
}
