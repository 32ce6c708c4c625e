/* deal: see deal.h. The caller reads and cuts batches; each copy has a thread that feeds it and one
   that reads from it; one thread writes the answers by serial number. A batch ends in %seg, and so
   does its answer. Batch k goes to copy k mod N: a command that keeps its last lines until more
   come (sed) then gets more before anybody waits for them. */
#include "par/copy.h"
#include <errno.h>

#define BATCH (1u << 20)
#define AHEAD 4 /* batches a copy may have before it has answered one */
#define SLOW 20 /* seconds without an answer, and without work, before we give up */

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

/* A filter that keeps its output until it is full or its input ends would wait for us, and we for
 * it. */
static bool stuck(pool *p, uint64_t *before)
{
    uint64_t now = 0;
    bool idle;

    for (unsigned i = 0; i < p->jobs; i++)
        now += lm_group_ticks(p->copies[i].group);
    idle = p->sent < p->made && now == *before;

    *before = now;
    return idle;
}

/* Waits, with the lock held, until the next answer is there or none will come; 0 or an error. */
static int await(pool *p, const batch *b)
{
    uint64_t work = 0;
    struct timespec t;
    int err = 0;

    if (!p->stop && !(p->sent < p->made && b->answered)) {
        pthread_mutex_unlock(&p->lock); /* nothing to write now: what is written goes out */
        err = lm_out_flush(p->out);
        pthread_mutex_lock(&p->lock);
    }
    while (!err && !p->stop && !(p->sent < p->made && b->answered) &&
           !(p->whole && p->sent == p->made)) {
        clock_gettime(CLOCK_REALTIME, &t);
        t.tv_sec += SLOW;
        if (pthread_cond_timedwait(&p->change, &p->lock, &t) == ETIMEDOUT && stuck(p, &work))
            err = lm_err(LM_EINVALID, "no answer from '%s': a filter must pass %%seg on at once",
                         p->cmd);
    }
    return err;
}

static void *writer(void *arg)
{
    pool *p = arg;
    int err = 0;

    pthread_mutex_lock(&p->lock);
    while (!err) {
        batch *b = &p->ring[p->sent % p->size];

        err = await(p, b);
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
        lm_deal_failed(p, err);
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
    batch *b; /* the one being filled */
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

    if (f->begun || line.n < 4 ||
        memcmp(line.p, "%by ", 4)) { /* provenance at the head: for each copy */
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
    if (err != 1 && !p->made && need(&f)) /* even nothing has a head and an end */
        deal(&f);
    deal(&f);
    return err == 1 ? 0 : err;
}

static int start(pool *p)
{
    int err = 0;

    setenv("LM_JOBS", "1", 1); /* a copy is one of many already */
    for (unsigned i = 0; i < p->jobs && !err; i++) {
        copy *c = &p->copies[i];
        char path[64];

        c->p = p;
        c->no = i;
        c->next = c->asked = i;
        err = lm_spawn(&c->child, p->cmd, NULL);
        if (err)
            break;
        snprintf(path, sizeof path, "/proc/self/fd/%d", c->child.out);
        c->group = c->child.pid;
        c->in = lm_in_open(path, 0);
    }
    return err;
}

static void thread(void *(*f)(void *), pthread_t *t, void *arg)
{
    if (pthread_create(t, NULL, f, arg))
        lm_oom_hook(0);
}

/* How the copies' input ends when ours does not end well: silently for them. */
static void bad_end(pool *p, lm_in *in, int err)
{
    lm_str line = lm_in_abort(in);

    if (err == LM_EABORT && line.n) {
        lm_buf_add(&p->last, line.p, line.n);
        lm_buf_addc(&p->last, '\n');
    } else {
        lm_buf_addf(&p->last, "%%abort code=%d tool=lm-par msg=%s\n", lm_class_exit(err),
                    lm_class_name(err));
    }
}

static void pool_free(pool *p)
{
    for (unsigned i = 0; i < p->jobs; i++) {
        lm_child_kill(&p->copies[i].child);
        lm_in_close(p->copies[i].in);
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

int lm_deal(lm_in *in, lm_out *out, const char *cmd, unsigned jobs)
{
    pool p = {.lock = PTHREAD_MUTEX_INITIALIZER,
              .change = PTHREAD_COND_INITIALIZER,
              .cmd = cmd,
              .out = out,
              .jobs = jobs};
    pthread_t wt;
    lm_error why = {0};
    int err;

    p.size = AHEAD * (uint64_t)p.jobs;
    p.ring = lm_zalloc(p.size, sizeof *p.ring);
    p.copies = lm_zalloc(p.jobs, sizeof *p.copies);
    lm_buf_adds(&p.head, "%lm 1\n");
    err = start(&p);
    if (err) {
        pool_free(&p);
        return err;
    }
    lm_in_tie(in, NULL); /* from here on the output is the writer's */
    thread(writer, &wt, &p);
    for (unsigned i = 0; i < p.jobs; i++) {
        thread(lm_copy_feed, &p.copies[i].feeder, &p.copies[i]);
        thread(lm_copy_read, &p.copies[i].reader, &p.copies[i]);
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
