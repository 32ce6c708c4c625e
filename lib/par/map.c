/* map: lm_map, an ordered pipeline of three steps: batches of records are read, the function runs
   over them, the results are written in the order of reading. Every thread does each by turns, and
   works on what it has just read: only one reads at a time, one writes. */
#include "par/batch.h"
#include <pthread.h>

static _Thread_local struct {
    void *p;
    void (*fini)(void *);
} local;

void *lm_local(size_t size, void (*fini)(void *))
{
    if (!local.p) {
        local.p = lm_zalloc(1, size);
        local.fini = fini;
    }
    return local.p;
}

static void local_end(void)
{
    if (local.p && local.fini)
        local.fini(local.p);
    free(local.p);
    local.p = NULL;
}

struct thread;
struct map {
    lm_in *in;
    lm_out *out;
    int (*f)(lm_rec *, void *);
    int (*big)(lm_in *, lm_rec *, uint64_t, lm_out *, void *);
    uint64_t limit; /* bytes of a body from which it is big's */
    void *ctx;
    unsigned jobs;
    size_t nring, made;     /* batches under way at most; all there are */
    struct lm_batch **ring; /* those not yet written, by serial number; else NULL */
    struct lm_batch *fill;  /* what is being read into; NULL: no more is read */
    struct lm_batch
        *lent; /* its records lie in what is read into until the next reader takes over */
    uint64_t read, taken, written; /* serial numbers: batches read, begun, done */
    bool reading, writing, eof;    /* by one thread at a time */
    atomic_bool stop;              /* the reader looks at it without the lock */
    int err, rc;                   /* of the writer or a worker; of the reader */
    lm_error error, read_error;
    struct thread *thread, *reader;
    pthread_mutex_t lock;
    pthread_cond_t idle, freed; /* there may be something to do; a batch was written */
};

struct thread {
    struct map *m;
    pthread_t id;
    struct lm_batch *spare; /* its batches that are free, the last one used first: near this core */
    lm_rec head, r;         /* what it reads; what it works on */
};

static int reject(lm_rec *r)
{
    lm_count_drop(r);
    return lm_rejects() ? lm_put(lm_rejects(), r) : 0;
}

/* Writes what f left: the record or not, then what it added. */
static int put_result(lm_out *out, lm_rec *r, int keep)
{
    int err = 0;

    if (keep == LM_DROP)
        err = reject(r);
    else if (out)
        err = lm_put(out, r);
    if (!err && r->nextra == UINT64_MAX)
        err = lm_last_error()->err;
    else if (!err && r->nextra && out)
        err = lm_out_raw(out, r->extra->p, r->extra->n, r->nextra, r->bextra);
    return err;
}

/* A record whose body of len bytes is not read yet. */
static int large(struct map *m, lm_rec *r, uint64_t len)
{
    size_t room = 256 << 10;
    char *p;
    ssize_t n;
    int err;

    if (lm_acts_on(r->type))
        return m->big(m->in, r, len, m->out, m->ctx);
    if (!m->out) /* the reader goes past it */
        return 0;
    p = lm_alloc(room);
    err = lm_put_head(m->out, r, len, 0);
    while (err >= 0 && (n = lm_body_read(m->in, p, room)) != 0)
        err = n < 0 ? (int)n : lm_body_write(m->out, p, (size_t)n);
    free(p);
    return err;
}

static int map_inline(struct map *m)
{
    lm_rec r = {0};
    uint64_t len;
    int rc;

    while ((rc = lm_next_upto(m->in, &r, m->limit, &len)) > 0) {
        int keep = rc == 2 ? large(m, &r, len) : lm_acts_on(r.type) ? m->f(&r, m->ctx) : LM_KEEP;

        rc = keep < 0 || rc == 2 ? keep : put_result(m->out, &r, keep);
        if (rc < 0)
            break;
    }
    lm_rec_free(&r);
    local_end();
    return rc;
}

/* Works on the batch that was read first. Here and below the caller has the lock. */
static void process(struct map *m, struct thread *t)
{
    struct lm_batch *b = m->ring[m->taken++ % m->nring];

    pthread_mutex_unlock(&m->lock);
    lm_batch_run(b, m->f, m->ctx, &t->r);
    pthread_mutex_lock(&m->lock);
    b->ready = true;
}

static bool may_write(const struct map *m)
{
    const struct lm_batch *b = m->ring[m->written % m->nring];

    return !m->writing && b && b->ready;
}

static void write_ready(struct map *m)
{
    while (!m->stop && may_write(m)) {
        struct lm_batch **place = &m->ring[m->written % m->nring], *b = *place;
        struct thread *owner = b->owner;
        int err;

        m->writing = true;
        pthread_mutex_unlock(&m->lock);
        err = lm_batch_write(b, m->out);
        pthread_mutex_lock(&m->lock);
        m->writing = false;
        m->written++;
        *place = NULL;
        b->next = owner->spare;
        owner->spare = b;
        if (err) {
            m->err = err;
            m->error = *lm_last_error();
            m->stop = true;
            pthread_cond_broadcast(&m->idle);
        } else if (!m->reading && m->read - m->written == m->nring - 1) {
            pthread_cond_signal(&m->idle); /* there is room to read again */
        }
        pthread_cond_signal(&m->freed);
    }
}

/* Does what is to be done but reading; false = there was nothing. Whoever has worked on a batch
   comes by here and writes it if it is its turn, or else whoever wrote the one before does. */
static bool help(struct map *m, struct thread *t)
{
    if (may_write(m))
        write_ready(m);
    else if (m->taken != m->read)
        process(m, t);
    else
        return false;
    return true;
}

/* Waits until only n batches are under way; false = the run stops. */
static bool wait_for(struct map *m, uint64_t n)
{
    while (m->read - m->written > n && !m->stop)
        if (!help(m, m->reader))
            pthread_cond_wait(&m->freed, &m->lock);
    return !m->stop;
}

/* One of the reader's own, or a new one, or when there are enough of them anybody's. */
static void fill_next(struct map *m)
{
    struct thread *t = m->reader;

    if (!t->spare && m->made == m->nring + m->jobs)
        for (t = m->thread; !t->spare; t++) { /* at most nring are under way: some are free */
        }
    m->fill = t->spare;
    if (m->fill) {
        t->spare = m->fill->next;
    } else {
        m->fill = lm_zalloc(1, sizeof *m->fill);
        m->made++;
    }
    m->fill->owner = m->reader;
    lm_batch_clear(m->fill);
}

static void put(struct map *m, bool flush)
{
    m->fill->flush = flush;
    m->ring[m->read++ % m->nring] = m->fill;
    m->fill = NULL;
}

/* Leaves the batch being filled to the others and waits until there may be one more. false = the
   run stops. */
static bool hand_out(struct map *m, bool flush)
{
    pthread_mutex_lock(&m->lock);
    put(m, flush);
    pthread_cond_signal(&m->idle);
    if (wait_for(m, m->nring - 1))
        fill_next(m);
    pthread_mutex_unlock(&m->lock);
    return m->fill;
}

/* The same of records that the reader goes on to hold: they are copied. */
static bool hand_copy(struct map *m)
{
    lm_batch_keep(m->fill);
    return hand_out(m, true);
}

/* What was read is about to move: the batch takes the memory it lies in. */
static void on_turn(void *ctx)
{
    struct map *m = ctx;
    struct lm_batch *b = m->fill;

    if (!b || !b->from)
        return;
    lm_in_swap(m->in, &b->in);
    hand_out(m, false);
}

static void on_block(void *ctx)
{
    struct map *m = ctx;

    if (m->fill && m->fill->items)
        hand_copy(m);
}

static void on_note(void *ctx, lm_str line)
{
    struct map *m = ctx;

    if (!m->fill)
        return;
    lm_batch_note(m->fill, line);
    if (line.n >= 4 && !memcmp(line.p, "%seg", 4)) /* a segment's end is shown at once */
        hand_copy(m);
}

/* Has all that was read written: then what comes next may be written by this thread. */
static bool settle(struct map *m)
{
    bool go;

    if (m->fill->items && !hand_copy(m))
        return false;
    pthread_mutex_lock(&m->lock);
    go = wait_for(m, 0);
    pthread_mutex_unlock(&m->lock);
    return go;
}

/* From here on the reader's own memory is read into; what was so far goes to the batch in it. */
static void take_over(struct map *m)
{
    lm_buf mine = m->fill->in;

    if (m->fill != m->lent) {
        m->fill->in = (lm_buf){0};
        lm_in_swap(m->in, &mine);
        if (m->lent)
            m->lent->in = mine;
        else
            lm_buf_free(&mine);
    }
    m->lent = NULL;
}

/* Reads a batch, which this thread works on next as a rule: what it read is near it. */
static void read_batch(struct map *m, struct thread *t)
{
    struct lm_batch *b;
    uint64_t len;
    int rc = 1;

    m->reading = true;
    m->reader = t;
    fill_next(m);
    pthread_mutex_unlock(&m->lock);
    take_over(m);
    while (m->fill && !m->stop && !(m->fill->from && lm_in_low(m->in)) &&
           (rc = lm_next_upto(m->in, &t->head, m->limit, &len)) > 0 && m->fill)
        if (rc == 1)
            lm_batch_add(m->fill, &t->head);
        else if (settle(m) && (rc = large(m, &t->head, len)) < 0)
            break;
    b = m->fill;
    if (b && b->from && b->in.p) /* it has memory, not lent yet */
        lm_in_swap(m->in, &b->in);
    else if (b && b->from)
        m->lent = b;
    pthread_mutex_lock(&m->lock);
    if (rc <= 0) {
        m->eof = true;
        m->rc = rc;
        m->read_error = *lm_last_error();
    }
    if (b && b->items) {
        put(m, rc <= 0);
    } else if (b) {
        b->next = t->spare;
        t->spare = b;
    }
    m->reading = false;
    if (m->eof)
        pthread_cond_broadcast(&m->idle);
    else
        pthread_cond_signal(&m->idle);
}

/* One of equals: each reads, works and writes by turns. */
static void *worker(void *arg)
{
    struct thread *t = arg;
    struct map *m = t->m;

    pthread_mutex_lock(&m->lock);
    while (!m->stop) {
        if (help(m, t))
            continue;
        if (m->eof)
            break;
        if (!m->reading && m->read - m->written < m->nring)
            read_batch(m, t);
        else
            pthread_cond_wait(&m->idle, &m->lock);
    }
    pthread_mutex_unlock(&m->lock);
    lm_rec_free(&t->head);
    lm_rec_free(&t->r);
    local_end();
    return NULL;
}

static int map_threads(struct map *m)
{
    struct thread *t = lm_zalloc(m->jobs, sizeof *t);
    unsigned n;

    m->thread = t;
    t->m = m;
    for (n = 1; n < m->jobs; n++) { /* those that can be had do */
        t[n].m = m;
        if (pthread_create(&t[n].id, NULL, worker, &t[n]))
            break;
    }
    worker(t);
    while (--n)
        pthread_join(t[n].id, NULL);
    for (size_t i = 0; i < m->nring; i++)
        if (m->ring[i])
            lm_batch_free(m->ring[i]);
    for (n = 0; n < m->jobs; n++)
        for (struct lm_batch *b; (b = t[n].spare);) {
            t[n].spare = b->next;
            lm_batch_free(b);
        }
    free(t);
    /* m->err is of an earlier record than the read error */
    *lm_last_error() = m->err ? m->error : m->read_error;
    return m->err ? m->err : m->rc;
}

int lm_map_big(lm_in *in, lm_out *out, unsigned jobs, int (*f)(lm_rec *r, void *ctx), void *ctx,
               uint64_t limit, int (*big)(lm_in *, lm_rec *, uint64_t, lm_out *, void *))
{
    struct map m = {.in = in,
                    .out = out,
                    .f = f,
                    .big = big,
                    .limit = limit,
                    .ctx = ctx,
                    .jobs = jobs ? jobs : lm_jobs(),
                    .lock = PTHREAD_MUTEX_INITIALIZER,
                    .idle = PTHREAD_COND_INITIALIZER,
                    .freed = PTHREAD_COND_INITIALIZER};
    int rc;

    if (m.jobs == 1)
        return map_inline(&m);
    m.nring = 2u * m.jobs + 2;
    m.ring = lm_zalloc(m.nring, sizeof *m.ring);
    lm_in_tie(in, NULL);
    lm_in_on_note(in, on_note, &m);
    lm_in_on_block(in, on_block, &m);
    lm_in_on_turn(in, on_turn, &m);
    rc = map_threads(&m);
    lm_in_on_turn(in, NULL, NULL);
    lm_in_on_note(in, NULL, NULL);
    lm_in_on_block(in, NULL, NULL);
    if (out)
        lm_in_tie(in, out);
    free(m.ring);
    return rc;
}

int lm_map(lm_in *in, lm_out *out, unsigned jobs, int (*f)(lm_rec *r, void *ctx), void *ctx)
{
    return lm_map_big(in, out, jobs, f, ctx, UINT64_MAX, NULL);
}
