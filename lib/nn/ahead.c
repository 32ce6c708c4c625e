/* ahead: a thread that reads the rows to come before they are asked for, so that neither a slow
   disk nor the check of a block met for the first time is waited for. It changes nothing but time:
   what it finds wrong is found again, and told, when the row is met. */
#include "nn/dataint.h"
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

struct lm_ahead {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more;
    uint64_t sample, n; /* wanted; n 0: nothing */
    bool stop;
    struct lm_rowmap map; /* the thread's own */
};

/* Asks for a row, or all of the blocks that will be checked with it. */
static void advise(const lm_shard *s, uint64_t lo, uint64_t hi)
{
    uint64_t block = lo * s->width / LM_SHARD_BLOCK;
    bool met = atomic_load_explicit(&s->met[block], memory_order_relaxed);
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE),
              from = (uintptr_t)s->tok + (met ? lo * s->width : block * LM_SHARD_BLOCK),
              to = (uintptr_t)s->tok + hi * s->width;

    from &= ~(page - 1);
    madvise((void *)from, to - from, MADV_WILLNEED); /* advice: a refusal costs time alone */
}

static void read_row(lm_data *d, uint64_t row)
{
    volatile uint8_t sum = 0; /* or the reads would be left out */
    uint64_t base, seq = d->about.seq, end;
    lm_shard *s = lm_data_shard(d, row, &base);

    end = s->tokens - base < seq + 1 ? s->tokens : base + seq + 1;
    if (lm_shard_met(s, base, end, d->o.ids))
        return;
    for (uint64_t i = base * s->width; i < end * s->width; i += 4096)
        sum = s->tok[i];
    (void)sum;
}

static void *work(void *arg)
{
    lm_data *d = arg;
    struct lm_ahead *a = d->ahead;

    pthread_mutex_lock(&a->lock);
    while (!a->stop) {
        uint64_t at = a->sample, end = at + a->n, base;

        if (!a->n) {
            pthread_cond_wait(&a->more, &a->lock);
            continue;
        }
        a->n = 0;
        pthread_mutex_unlock(&a->lock);
        for (uint64_t i = at; i < end; i++) {
            lm_shard *s = lm_data_shard(d, lm_rowmap_at(&a->map, i), &base);

            advise(s, base, base + d->about.seq);
        }
        pthread_mutex_lock(&a->lock);
        for (uint64_t i = at; i < end && !a->n && !a->stop; i++) {
            pthread_mutex_unlock(&a->lock);
            read_row(d, lm_rowmap_at(&a->map, i));
            pthread_mutex_lock(&a->lock);
        }
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

static void begin(lm_data *d)
{
    struct lm_ahead *a = lm_zalloc(1, sizeof *a);
    sigset_t all, old;

    a->map = d->map; /* the mixture's quotas are shared: nothing writes them */
    a->map.set = lm_memdup(d->map.set, d->map.nset * sizeof *d->map.set);
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->more, NULL);
    d->ahead = a;
    sigfillset(&all); /* signals are for the thread that trains */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    if (pthread_create(&a->thread, NULL, work, d))
        a->stop = true; /* no thread: rows are read when met */
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void lm_data_ahead(lm_data *d, uint64_t sample, uint64_t n)
{
    struct lm_ahead *a;

    if (d->stream)
        return;
    if (!d->ahead)
        begin(d);
    a = d->ahead;
    pthread_mutex_lock(&a->lock);
    a->sample = sample;
    a->n = n;
    pthread_cond_signal(&a->more);
    pthread_mutex_unlock(&a->lock);
}

void lm_data_ahead_free(lm_data *d)
{
    struct lm_ahead *a = d->ahead;
    bool ran;

    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    ran = !a->stop;
    a->stop = true;
    pthread_cond_signal(&a->more);
    pthread_mutex_unlock(&a->lock);
    if (ran)
        pthread_join(a->thread, NULL);
    pthread_mutex_destroy(&a->lock);
    pthread_cond_destroy(&a->more);
    free(a->map.set);
    free(a);
    d->ahead = NULL;
}
