/* form-npy: a folder with an array of NumPy for each tensor, NAME.npy by the names of Hugging Face
   and in their layout, and what lies beside the weights there. */
#include "nn/formi.h"
#include "nn/npy.h"
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

static int bad(const char *path, int err, const char *what)
{
    return lm_err_at(err, path, "%s", what);
}

static int array(lm_form *f, const lm_ftensor *t, lm_str m, const char *path)
{
    lm_part *p = &f->part[t - f->m->f];
    size_t es;
    lm_npy h;
    int err = lm_npy_parse(m, &h);

    if (err)
        return lm_err_at(err, path, "byte %llu: %s", (unsigned long long)h.at, h.why);
    if (!lm_is(h.descr, "<f4") && !lm_is(h.descr, "<f2"))
        return lm_err_at(LM_EINVALID, path,
                         "values of type %.*s: not float32 or float16 (<f4, <f2)",
                         (int)(h.descr.n < 40 ? h.descr.n : 40), h.descr.p);
    if (h.fortran && h.dims == 2)
        return bad(path, LM_EINVALID, "in Fortran order (numpy.ascontiguousarray mends that)");
    if ((int)h.dims != t->nd || h.dim[0] != t->dim[0] || (t->nd == 2 && h.dim[1] != t->dim[1]))
        return bad(path, LM_EINVALID, "not of the shape that config.json tells");
    if (p->data)
        return bad(path, LM_EINVALID, "the tensor is there under another name too");
    es = lm_is(h.descr, "<f4") ? 4 : 2;
    if (m.n - h.data < t->n * es)
        return bad(path, LM_ETRUNC, "fewer bytes than its shape needs");
    if (m.n - h.data > t->n * es)
        return bad(path, LM_ECORRUPT, "more bytes than its shape needs");
    *p = (lm_part){.data = m.p + h.data,
                   .type = es == 4 ? LM_GGT_F32 : LM_GGT_F16,
                   .turned = t->kmajor};
    return 0;
}

static int one(lm_form *f, const char *file)
{
    size_t n = strlen(file) - strlen(".npy");
    char *name = lm_strndup((lm_str){file, n});
    const lm_ftensor *t = lm_tensors_file(f->m, name);
    lm_buf path = {0};
    int err;

    lm_buf_addf(&path, "%s/%s", f->path, file);
    if (!t) {
        err = bad(path.p, LM_EINVALID, "has no place in the model");
    } else if (f->narray == f->m->nf) {
        err = bad(path.p, LM_EINVALID, "more arrays than tensors");
    } else if (!(err = lm_mmap_file(path.p, &f->array[f->narray]))) {
        f->narray++;
        err = array(f, t, f->array[f->narray - 1], path.p);
    }
    lm_buf_free(&path);
    free(name);
    return err;
}

int lm_npy_model_read(lm_form *f)
{
    DIR *d;
    lm_cfg c;
    int err = lm_cfg_read(&c, f->path);

    if (err)
        return err;
    lm_form_tables(f, &c);
    f->array = lm_zalloc(f->m->nf, sizeof *f->array);
    if (!(d = opendir(f->path)))
        return lm_err_sys(f->path, "cannot read");
    for (struct dirent *e; !err && (e = readdir(d));) {
        size_t n = strlen(e->d_name);

        if (n > 4 && !strcmp(e->d_name + n - 4, ".npy"))
            err = one(f, e->d_name);
    }
    closedir(d);
    if (!err && !f->narray)
        return bad(f->path, LM_EINVALID, "holds neither model.safetensors nor arrays (.npy)");
    for (size_t i = 0; i < f->m->nf && !err; i++)
        if (!f->part[i].data)
            err = lm_err_at(LM_EINVALID, f->path, "%s.npy is missing", f->m->f[i].name);
    return err;
}

int lm_npy_model_write(const lm_form *f, int dt, const char *dir)
{
    int err = 0;

    for (size_t i = 0; i < f->m->nf && !err; i++) {
        const lm_ftensor *t = &f->m->f[i];
        uint64_t dim[2] = {t->dim[0], t->dim[1]};
        char head[LM_NPY_HEAD];
        lm_buf path = {0};
        lm_sink s;

        lm_buf_addf(&path, "%s/%s.npy", dir, t->name);
        s = (lm_sink){open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666), path.p};
        if (s.fd < 0) {
            err = lm_err_sys(path.p, "cannot create");
        } else {
            lm_npy_head(head, dt == LM_F32 ? "<f4" : "<f2", (unsigned)t->nd, dim);
            if (!(err = lm_sink_put(&s, head, sizeof head)))
                err =
                    lm_form_each(f, i, (lm_layout){.dt = dt, .turned = t->kmajor}, lm_sink_put, &s);
            if (close(s.fd) && !err)
                err = lm_err_sys(path.p, "cannot write");
        }
        lm_buf_free(&path);
    }
    return err;
}
