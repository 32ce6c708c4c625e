/* form: the values of a model's tensors, from whatever form, in whatever layout is wanted. */
#include "nn/formi.h"
#include "nn/numeric.h"
#include "kernels/kern.h"
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BAND = 1 << 20, PIECE = 4096 }; /* values at a time, about; where each is looked at */

void lm_form_close(lm_form *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->narray; i++)
        lm_munmap_file(f->array[i]);
    free(f->array);
    lm_gguf_free(f->g);
    lm_munmap_file(f->map);
    lm_model_free(f->m);
    free(f->part);
    free(f);
}

void lm_form_tables(lm_form *f, lm_cfg *c)
{
    f->m = lm_zalloc(1, sizeof *f->m);
    f->m->cfg = *c;
    c->raw = NULL;
    lm_tensors_make(f->m);
    f->part = lm_zalloc(f->m->nf, sizeof *f->part);
}

size_t lm_form_at(const lm_model *m, uint32_t layer, int which)
{
    const lm_tensor *t = lm_model_layer(m, layer, which);

    for (size_t i = 0; t && i < m->nf; i++)
        if (m->t + m->f[i].first == t)
            return i;
    return SIZE_MAX;
}

static int hf(lm_form *f)
{
    static const uint32_t type[] = {
        [LM_F32] = LM_GGT_F32, [LM_BF16] = LM_GGT_BF16, [LM_F16] = LM_GGT_F16};
    int err = lm_model_load(&f->m, f->path, -1, 0);

    if (err)
        return err;
    f->part = lm_zalloc(f->m->nf, sizeof *f->part);
    for (size_t i = 0; i < f->m->nf; i++) {
        const lm_ftensor *t = &f->m->f[i];

        f->part[i] = (lm_part){.data = t->src, .type = type[t->dt], .turned = t->kmajor};
    }
    return 0;
}

static bool there(const char *dir, const char *name)
{
    lm_buf path = {0};
    bool is;

    lm_buf_addf(&path, "%s/%s", dir, name);
    is = !access(path.p, F_OK);
    lm_buf_free(&path);
    return is;
}

static int open_file(lm_form *f)
{
    static const char llmc[4] = {(char)0xc6, (char)0xd7, 0x34, 0x01}; /* 20240326 */
    int err = lm_mmap_file(f->path, &f->map);

    if (err)
        return err;
    if (f->map.n >= 4 && !memcmp(f->map.p, llmc, 4)) {
        f->form = LM_FORM_LLMC;
        return lm_llmc_model_read(f);
    }
    if (f->map.n < 4 || memcmp(f->map.p, "GGUF", 4))
        return lm_err_at(LM_EINVALID, f->path,
                         "is no model: a directory, a GGUF file or a checkpoint of llm.c");
    f->form = LM_FORM_GGUF;
    return lm_gguf_model_read(f);
}

int lm_form_open(lm_form **out, const char *path)
{
    lm_form *f = lm_zalloc(1, sizeof *f);
    struct stat st;
    int err;

    f->path = path;
    *out = NULL;
    if (stat(path, &st))
        err = lm_err_sys(path, "cannot open");
    else if (!S_ISDIR(st.st_mode))
        err = open_file(f);
    else if (there(path, "model.safetensors") || there(path, "model.safetensors.index.json"))
        err = hf(f);
    else {
        f->form = LM_FORM_NPY;
        err = lm_npy_model_read(f);
    }
    if (err) {
        lm_form_close(f);
        return err;
    }
    *out = f;
    return 0;
}

/* Are all values of a tensor of f32 values of dt? */
static bool exact(const lm_form *f, size_t i, int dt)
{
    const char *p = f->part[i].data;
    size_t n = f->m->f[i].n;
    float x[PIECE];

    for (size_t at = 0, k; at < n; at += k) {
        k = n - at < PIECE ? n - at : PIECE;
        memcpy(x, p + at * sizeof *x, k * sizeof *x);
        for (size_t e = 0; e < k; e++) {
            double d = x[e];
            uint16_t h;

            lm_narrow_f64(dt, &d, 1, &h);
            if ((dt == LM_BF16 ? lm_bf16_f32(h) : lm_f16_f32(h)) != x[e])
                return false;
        }
    }
    return true;
}

int lm_form_dtype(const lm_form *f)
{
    int dt = LM_F32;

    for (size_t i = 0; i < f->m->nf; i++) {
        uint32_t type = f->part[i].type;
        int own = type == LM_GGT_F16 ? LM_F16 : LM_BF16;

        if (type == LM_GGT_F32)
            continue;
        if ((type != LM_GGT_F16 && type != LM_GGT_BF16) || (dt != LM_F32 && dt != own))
            return LM_F32;
        dt = own;
    }
    for (size_t i = 0; dt != LM_F32 && i < f->m->nf; i++)
        if (f->part[i].type == LM_GGT_F32 && !exact(f, i, dt))
            return LM_F32;
    return dt;
}

uint32_t lm_interleave(uint32_t r, uint32_t head)
{
    uint32_t in = r % head;

    return r - in + in % 2 * (head / 2) + in / 2;
}

uint32_t lm_deinterleave(uint32_t r, uint32_t head)
{
    uint32_t in = r % head, half = head / 2;

    return r - in + in % half * 2 + in / half;
}

typedef struct {
    size_t rows, cols;
} shape;

static shape shape_of(const lm_ftensor *t)
{
    if (t->nd == 1)
        return (shape){t->dim[0], 1};
    return t->kmajor ? (shape){t->dim[1], t->dim[0]} : (shape){t->dim[0], t->dim[1]};
}

/* Rows [row, row + n) in the order of Hugging Face; all of them where they are no whole blocks. */
static void fetch(const lm_part *p, shape s, size_t row, size_t n, float *out)
{
    uint64_t one = lm_dequant_block(p->type), bytes = lm_gg_bytes(p->type, 1, &one);
    float *line;

    if (p->turned && s.cols > 1) {
        line = lm_alloc(n * sizeof *line);
        for (size_t c = 0; c < s.cols; c++) {
            lm_dequant(p->type, p->data + (c * s.rows + row) * bytes, n, line);
            for (size_t r = 0; r < n; r++)
                out[r * s.cols + c] = line[r];
        }
        free(line);
    } else if (p->head) {
        for (size_t r = 0; r < n; r++) {
            size_t at = lm_deinterleave((uint32_t)(row + r), p->head);

            lm_dequant(p->type, p->data + at * s.cols / one * bytes, s.cols, out + r * s.cols);
        }
    } else {
        lm_dequant(p->type, p->data + row * s.cols / one * bytes, n * s.cols, out);
    }
}

/* x as dt, in place or into h, and on. */
static int hand_on(const lm_form *f, size_t i, int dt, const float *x, size_t n, lm_put_fn *put,
                   void *ctx)
{
    const char *name = f->m->f[i].name;
    unsigned exponent = dt == LM_F16 ? 0x7c00 : 0x7f80;
    uint16_t h[PIECE];
    double d[PIECE];

    for (size_t e = 0; e < n; e++)
        if (!isfinite(x[e]))
            return lm_err_at(LM_EINVALID, f->path, "tensor %s holds a value that is not finite",
                             name);
    if (dt == LM_F32)
        return put(ctx, x, n * sizeof *x);
    for (size_t at = 0, k; at < n; at += k) {
        int err;

        k = n - at < PIECE ? n - at : PIECE;
        for (size_t e = 0; e < k; e++)
            d[e] = x[at + e];
        lm_narrow_f64(dt, d, k, h);
        for (size_t e = 0; e < k; e++)
            if ((h[e] & exponent) == exponent)
                return lm_err_at(LM_EINVALID, f->path,
                                 "tensor %s: %.9g is beyond what %s can hold (--dtype f32)", name,
                                 d[e], dt == LM_F16 ? "f16" : "bf16");
        if ((err = put(ctx, h, k * sizeof *h)))
            return err;
    }
    return 0;
}

/* The whole, turned round: [inputs, outputs]. */
static void turned(const lm_part *p, shape s, float *out)
{
    float *x;

    if (p->turned) { /* as it lies */
        lm_dequant(p->type, p->data, s.rows * s.cols, out);
        return;
    }
    x = lm_alloc(s.rows * s.cols * sizeof *x);
    fetch(p, s, 0, s.rows, x);
    for (size_t r = 0; r < s.rows; r++)
        for (size_t c = 0; c < s.cols; c++)
            out[c * s.rows + r] = x[r * s.cols + c];
    free(x);
}

int lm_form_each(const lm_form *f, size_t i, lm_layout lay, lm_put_fn *put, void *ctx)
{
    const lm_part *p = &f->part[i];
    shape s = shape_of(&f->m->f[i]);
    size_t band = s.cols == 1 || (lay.turned && s.cols > 1) ? s.rows : BAND / s.cols + 1;
    float *x, *y = NULL;
    int err = 0;

    if (lay.head)
        band = (band + lay.head - 1) / lay.head * lay.head;
    band = band < s.rows ? band : s.rows;
    x = lm_alloc(band * s.cols * sizeof *x);
    if (lay.head)
        y = lm_alloc(band * s.cols * sizeof *y);
    for (size_t row = 0, n; row < s.rows && !err; row += n) {
        n = s.rows - row < band ? s.rows - row : band;
        if (lay.turned && s.cols > 1)
            turned(p, s, x);
        else
            fetch(p, s, row, n, x);
        for (size_t r = 0; lay.head && r < n; r++)
            memcpy(y + r * s.cols, x + lm_interleave((uint32_t)r, lay.head) * s.cols,
                   s.cols * sizeof *y);
        err = hand_on(f, i, lay.dt, y ? y : x, n * s.cols, put, ctx);
    }
    free(x);
    free(y);
    return err;
}

int lm_sink_put(void *sink, const void *p, size_t bytes)
{
    const lm_sink *s = sink;

    return lm_write_all(s->fd, p, bytes) ? lm_err_sys(s->path, "cannot write") : 0;
}
