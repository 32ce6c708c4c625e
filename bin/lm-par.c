/* lm-par: deal a stream to N copies of a filter and gather their output in order.
   Apart from -j of the filters: it speeds up any record-local command that speaks the format.
   The main thread reads and cuts batches; each copy has a thread that feeds it and one that reads from
   it; one thread writes the answers by serial number. A batch ends in %seg, and so does its answer. */
#include "lm.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define BATCH (1u << 20)
#define AHEAD 2                                    /* batches a copy may have before it has answered one */
#define SLOW 60.0                                  /* seconds without an answer before a warning */

static const lm_opt opts[] = { LM_COMMON, LM_END };
static const lm_tool tool = {
    .name = "lm-par", .does = "run copies of a filter side by side", .args = "CMD",
    .opts = opts, .flags = LM_IN | LM_OUT | LM_ORDERED | LM_PAR
};

typedef struct { size_t at; lm_buf line; } note;   /* at: byte of the answer it stands before */
typedef struct {
    lm_buf in, out;                                /* records as text */
    uint64_t n, b, on, ob;                         /* records and body bytes of in and out */
    note *notes;
    size_t nnotes, capnotes;
    bool seg, answered;                            /* seg: the input had a %seg behind it */
} batch;

struct pool;
typedef struct {
    struct pool *p;
    unsigned no;
    lm_child child;
    pthread_t feeder, reader;
    uint64_t *queue, head, tail;                   /* serials dealt; [head, tail) are not answered */
    uint64_t n, b;                                 /* fed so far */
    batch *cur;                                    /* the batch whose answer is being read */
    lm_in *in;
    pid_t group;
    bool ending;                                   /* its thread waits for it: not to be killed by others */
} copy;

typedef struct pool {
    pthread_mutex_t lock;
    pthread_cond_t change;
    const char *cmd;
    lm_out *out;
    lm_buf head, last;                             /* first lines for each copy; how its input ends, if not by %end */
    batch *ring;
    uint64_t size, made, dealt, sent;              /* serials: read, given to a copy, written out */
    bool whole, stop;                              /* no more batches; something failed */
    int err;
    lm_error error;
    lm_buf abort;
    copy *copies;
    unsigned jobs;
    _Atomic unsigned yes;                          /* copies that ended with status 0 */
} pool;

static void failed(pool *p, int err)
{
    pthread_mutex_lock(&p->lock);
    if (!p->err) {
        p->err = err;
        p->error = *lm_last_error();
        for (unsigned i = 0; i < p->jobs; i++)
            if (!p->copies[i].ending)
                kill(-p->copies[i].group, SIGKILL);
    }
    p->stop = true;
    pthread_cond_broadcast(&p->change);
    pthread_mutex_unlock(&p->lock);
}

static bool feed(copy *c, const char *s, size_t n)
{
    while (n) {
        ssize_t k = lm_write_quiet(c->child.in, s, n);

        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return false;                          /* its reader tells why it left */
        s += k;
        n -= (size_t)k;
    }
    return true;
}

/* The next batch for this copy, or NULL when there is none any more. */
static batch *take(copy *c)
{
    pool *p = c->p;
    batch *b = NULL;

    pthread_mutex_lock(&p->lock);
    while (!p->stop && !(p->dealt < p->made && c->tail - c->head < AHEAD) &&
           !(p->whole && p->dealt == p->made))
        pthread_cond_wait(&p->change, &p->lock);
    if (!p->stop && p->dealt < p->made) {
        c->queue[c->tail++ % AHEAD] = p->dealt;
        b = &p->ring[p->dealt++ % p->size];
        pthread_cond_broadcast(&p->change);
    }
    pthread_mutex_unlock(&p->lock);
    return b;
}

static void *feeder(void *arg)
{
    copy *c = arg;
    pool *p = c->p;
    bool begun = false, good = true;
    char line[96];
    batch *b;
    int n;

    while (good && (b = take(c))) {
        good = (begun || feed(c, p->head.p, p->head.n)) && feed(c, b->in.p, b->in.n);
        begun = true;
        n = snprintf(line, sizeof line, "%%seg n=%llu b=%llu\n", (unsigned long long)b->n,
                     (unsigned long long)b->b);
        good = good && feed(c, line, (size_t)n);
        c->n += b->n;
        c->b += b->b;
    }
    pthread_mutex_lock(&p->lock);
    good = good && !p->stop;
    pthread_mutex_unlock(&p->lock);
    if (good && p->last.n) {
        good = (begun || feed(c, p->head.p, p->head.n)) && feed(c, p->last.p, p->last.n);
    } else if (good) {
        n = snprintf(line, sizeof line, "%%end n=%llu b=%llu\n", (unsigned long long)c->n,
                     (unsigned long long)c->b);
        good = (begun || feed(c, p->head.p, p->head.n)) && feed(c, line, (size_t)n);
    }
    close(c->child.in);
    c->child.in = -1;
    return NULL;
}

/* The batch this copy is answering; NULL = it says more than it was asked. */
static batch *asked(copy *c)
{
    pool *p = c->p;

    if (c->cur)
        return c->cur;
    pthread_mutex_lock(&p->lock);
    if (c->head < c->tail)
        c->cur = &p->ring[c->queue[c->head % AHEAD] % p->size];
    pthread_mutex_unlock(&p->lock);
    return c->cur;
}

static void on_note(void *ctx, lm_str line)
{
    copy *c = ctx;
    pool *p = c->p;
    batch *b = asked(c);

    if (!b)
        return;                                    /* %by of a copy that got no batch */
    if (line.n >= 4 && !memcmp(line.p, "%seg", 4) && (line.n == 4 || line.p[4] == ' ')) {
        pthread_mutex_lock(&p->lock);
        b->answered = true;
        c->cur = NULL;
        c->head++;
        pthread_cond_broadcast(&p->change);
        pthread_mutex_unlock(&p->lock);
        return;
    }
    LM_GROW(b->notes, b->nnotes, b->capnotes);
    b->notes[b->nnotes] = (note){.at = b->out.n};
    lm_buf_add(&b->notes[b->nnotes++].line, line.p, line.n);
}

/* The copy's wait status, once it ended; if something else failed it is not waited for long. */
static int end_of(copy *c)
{
    pool *p = c->p;
    int status = 0;
    bool stop;

    pthread_mutex_lock(&p->lock);
    c->ending = true;
    pthread_mutex_unlock(&p->lock);
    while (!lm_child_wait(&c->child, lm_now() + 1, &status)) {
        pthread_mutex_lock(&p->lock);
        stop = p->stop;
        pthread_mutex_unlock(&p->lock);
        if (stop) {
            kill(-c->group, SIGKILL);
            lm_child_wait(&c->child, 0, &status);
            break;
        }
    }
    return status;
}

/* Why the copy failed: its own end says more than its cut output does. */
static int blame(copy *c, int err)
{
    lm_error why = *lm_last_error();
    char told[128];
    int status;

    if (err == LM_EABORT) {
        pool *p = c->p;
        lm_str line = lm_in_abort(c->in);

        pthread_mutex_lock(&p->lock);
        if (!p->abort.n && !p->err)
            lm_buf_add(&p->abort, line.p, line.n);
        pthread_mutex_unlock(&p->lock);
        return err;
    }
    status = end_of(c);
    if (status && !(WIFEXITED(status) && WEXITSTATUS(status) == 1)) {
        lm_child_told(status, told, sizeof told);
        return lm_err(LM_EIO, "copy %u of '%s' %s", c->no, c->p->cmd, told);
    }
    return lm_err(err, "copy %u of '%s': %s", c->no, c->p->cmd, why.detail);
}

static int settle(copy *c)
{
    pool *p = c->p;
    char told[128];
    bool early;
    int status;

    pthread_mutex_lock(&p->lock);
    early = !(p->whole && p->dealt == p->made) || c->head < c->tail;
    pthread_mutex_unlock(&p->lock);
    status = end_of(c);
    if (status && !(WIFEXITED(status) && WEXITSTATUS(status) == 1)) {
        lm_child_told(status, told, sizeof told);
        return lm_err(LM_EIO, "copy %u of '%s' %s", c->no, p->cmd, told);
    }
    if (early)
        return lm_err(LM_EINVALID, "copy %u of '%s' ended before its input, or keeps %%seg back", c->no, p->cmd);
    p->yes += status == 0;
    return 0;
}

static void *reader(void *arg)
{
    copy *c = arg;
    lm_rec r = {0};
    int err;

    lm_in_on_note(c->in, on_note, c);
    while ((err = lm_next(c->in, &r)) == 1) {
        batch *b = asked(c);

        if (!b) {
            err = lm_err(LM_EINVALID, "copy %u of '%s' writes records behind its last %%seg: it does not work "
                         "record by record", c->no, c->p->cmd);
            break;
        }
        lm_rec_write(&b->out, &r);
        b->on++;
        b->ob += r.body.n;
    }
    if (err < 0 && err != LM_EINVALID)
        err = blame(c, err);
    else if (!err)
        err = settle(c);
    if (err < 0)
        failed(c->p, err);
    lm_rec_free(&r);
    return NULL;
}

static int answer(lm_out *out, batch *b)
{
    size_t at = 0;
    int err = 0;

    for (size_t i = 0; !err && i < b->nnotes; i++) {
        note *n = &b->notes[i];

        if (n->at > at)
            err = lm_out_raw(out, b->out.p + at, n->at - at, at ? 0 : b->on, at ? 0 : b->ob);
        at = n->at;
        if (!err)
            err = lm_out_note(out, lm_buf_str(&n->line));
    }
    if (!err && b->out.n > at)
        err = lm_out_raw(out, b->out.p + at, b->out.n - at, at ? 0 : b->on, at ? 0 : b->ob);
    if (!err && b->seg)
        err = lm_out_seg(out);
    return err;
}

static void batch_clear(batch *b)
{
    for (size_t i = 0; i < b->nnotes; i++)
        lm_buf_free(&b->notes[i].line);
    b->in.n = b->out.n = b->nnotes = 0;
    b->n = b->b = b->on = b->ob = 0;
    b->seg = b->answered = false;
}

static void *writer(void *arg)
{
    pool *p = arg;
    int err = 0;

    pthread_mutex_lock(&p->lock);
    while (!err) {
        batch *b = &p->ring[p->sent % p->size];
        bool told = false;

        while (!p->stop && !(p->sent < p->made && b->answered) && !(p->whole && p->sent == p->made)) {
            struct timespec t;

            if (!told) {                           /* nothing to write now: what is written goes out */
                pthread_mutex_unlock(&p->lock);
                err = lm_out_flush(p->out);
                pthread_mutex_lock(&p->lock);
                told = true;
                continue;
            }
            clock_gettime(CLOCK_REALTIME, &t);
            t.tv_sec += (time_t)SLOW;
            if (pthread_cond_timedwait(&p->change, &p->lock, &t) == ETIMEDOUT && p->made - p->sent >= p->size)
                lm_warn("no answer from '%s' for %.0f s: a filter must pass %%seg on at once", p->cmd, SLOW);
        }
        if (p->stop || err || p->sent == p->made)
            break;
        pthread_mutex_unlock(&p->lock);
        err = answer(p->out, b);
        pthread_mutex_lock(&p->lock);
        batch_clear(b);
        p->sent++;
        pthread_cond_broadcast(&p->change);
    }
    pthread_mutex_unlock(&p->lock);
    if (err < 0)
        failed(p, err);
    return NULL;
}

/* Waits for room and gives the slot of the next batch; NULL = something failed. */
static batch *slot(pool *p)
{
    batch *b;

    pthread_mutex_lock(&p->lock);
    while (!p->stop && p->made - p->sent >= p->size)
        pthread_cond_wait(&p->change, &p->lock);
    b = p->stop ? NULL : &p->ring[p->made % p->size];
    pthread_mutex_unlock(&p->lock);
    return b;
}

typedef struct {
    pool *p;
    batch *b;                                      /* the one being filled */
    bool begun;
} filling;

static void deal(filling *f)
{
    pool *p = f->p;

    if (!f->b)
        return;
    pthread_mutex_lock(&p->lock);
    p->made++;
    pthread_cond_broadcast(&p->change);
    pthread_mutex_unlock(&p->lock);
    f->b = NULL;
}

static bool need(filling *f)
{
    f->begun = true;
    if (!f->b)
        f->b = slot(f->p);
    return f->b != NULL;
}

static void input_note(void *ctx, lm_str line)
{
    filling *f = ctx;
    bool seg = line.n >= 4 && !memcmp(line.p, "%seg", 4) && (line.n == 4 || line.p[4] == ' ');
    lm_buf *to = &f->p->head;

    if (f->begun || seg) {
        if (!need(f))
            return;
        to = &f->b->in;
    }
    if (seg) {
        f->b->seg = true;
        deal(f);
        return;
    }
    lm_buf_add(to, line.p, line.n);
    lm_buf_addc(to, '\n');
}

static void input_blocks(void *ctx)
{
    filling *f = ctx;

    if (f->b && f->b->n)
        deal(f);
}

static int fill(lm_in *in, pool *p)
{
    filling f = {.p = p};
    lm_rec r = {0};
    int err;

    lm_in_tie(in, NULL);
    lm_in_on_note(in, input_note, &f);
    lm_in_on_block(in, input_blocks, &f);
    while ((err = lm_next(in, &r)) == 1) {
        if (!need(&f))
            break;
        lm_rec_write(&f.b->in, &r);
        f.b->n++;
        f.b->b += r.body.n;
        if (f.b->in.n >= BATCH)
            deal(&f);
    }
    lm_rec_free(&r);
    if (err != 1 && !p->made && need(&f))          /* even nothing has a head and an end */
        deal(&f);
    deal(&f);
    return err == 1 ? 0 : err;
}

static int start(pool *p)
{
    int err = 0;

    setenv("LM_JOBS", "1", 1);                     /* a copy is one of many already */
    for (unsigned i = 0; i < p->jobs && !err; i++) {
        copy *c = &p->copies[i];
        char path[64];

        c->p = p;
        c->no = i;
        c->queue = lm_zalloc(AHEAD, sizeof *c->queue);
        err = lm_spawn(&c->child, p->cmd, NULL);
        if (err)
            break;
        snprintf(path, sizeof path, "/proc/self/fd/%d", c->child.out);
        c->group = c->child.pid;
        c->in = lm_in_open(path, 0);
    }
    return err;
}

static void threads(pool *p, void *(*f)(void *), pthread_t *t, void *arg)
{
    if (pthread_create(t, NULL, f, arg))
        lm_oom_hook(0);
    (void)p;
}

/* How the copies' input ends when ours does not end well: silently for them. */
static void bad_end(pool *p, lm_in *in, int err)
{
    lm_str line = lm_in_abort(in);

    if (err == LM_EABORT && line.n) {
        lm_buf_add(&p->last, line.p, line.n);
        lm_buf_addc(&p->last, '\n');
    } else {
        lm_buf_addf(&p->last, "%%abort code=%d tool=lm-par msg=%s\n", lm_class_exit(err), lm_class_name(err));
    }
}

static void pool_free(pool *p)
{
    for (unsigned i = 0; i < p->jobs; i++) {
        lm_child_kill(&p->copies[i].child);
        lm_in_close(p->copies[i].in);
        free(p->copies[i].queue);
    }
    for (uint64_t i = 0; i < p->size; i++) {
        batch_clear(&p->ring[i]);
        lm_buf_free(&p->ring[i].in);
        lm_buf_free(&p->ring[i].out);
        free(p->ring[i].notes);
    }
    free(p->ring);
    free(p->copies);
    lm_buf_free(&p->head);
    lm_buf_free(&p->last);
    lm_buf_free(&p->abort);
}

static int run(lm_in *in, lm_out *out)
{
    pool p = {.lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER, .cmd = lm_arg(0).p,
              .out = out, .jobs = lm_jobs()};
    pthread_t wt;
    lm_error why = {0};
    int err;

    p.size = 4 * (uint64_t)p.jobs;
    p.ring = lm_zalloc(p.size, sizeof *p.ring);
    p.copies = lm_zalloc(p.jobs, sizeof *p.copies);
    lm_buf_adds(&p.head, "%lm 1\n");
    err = start(&p);
    if (err) {
        pool_free(&p);
        return err;
    }
    threads(&p, writer, &wt, &p);
    for (unsigned i = 0; i < p.jobs; i++) {
        threads(&p, feeder, &p.copies[i].feeder, &p.copies[i]);
        threads(&p, reader, &p.copies[i].reader, &p.copies[i]);
    }
    err = fill(in, &p);
    pthread_mutex_lock(&p.lock);
    if (err < 0) {
        why = *lm_last_error();
        bad_end(&p, in, err);
    }
    p.whole = true;
    pthread_cond_broadcast(&p.change);
    pthread_mutex_unlock(&p.lock);
    for (unsigned i = 0; i < p.jobs; i++) {
        pthread_join(p.copies[i].feeder, NULL);
        pthread_join(p.copies[i].reader, NULL);
    }
    pthread_join(wt, NULL);
    if (err < 0) {
        *lm_last_error() = why;
    } else if (p.err) {
        err = p.err;
        *lm_last_error() = p.error;
        if (p.abort.n)
            lm_in_set_abort(in, lm_buf_str(&p.abort));
    } else {
        err = p.yes ? LM_DONE : LM_NO;
    }
    pool_free(&p);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
