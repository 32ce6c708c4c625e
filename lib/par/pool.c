/* pool: threads for loops. Workers spin for some 20 us between loops, then sleep on a condition. */
#include "par/par.h"
#include <pthread.h>

#define SPINS 4000

struct lm_pool {
    unsigned n; /* threads, the caller counted */
    pthread_t *thread;
    pthread_mutex_t lock;
    pthread_cond_t start, done;
    _Atomic unsigned round; /* grows by one a loop */
    _Atomic size_t next;
    _Atomic unsigned running;
    _Atomic bool stop;
    size_t count;
    void (*f)(void *, size_t, unsigned);
    void *ctx;
};

struct seat {
    lm_pool *p;
    unsigned id;
};

static void pause_cpu(void)
{
#ifdef __x86_64__
    __builtin_ia32_pause();
#endif
}

static void work(lm_pool *p, unsigned id)
{
    size_t i;

    while ((i = atomic_fetch_add(&p->next, 1)) < p->count)
        p->f(p->ctx, i, id);
}

static void *loop(void *arg)
{
    struct seat s = *(struct seat *)arg;
    lm_pool *p = s.p;
    unsigned seen = 0;

    free(arg);
    for (;;) {
        for (int i = 0; i < SPINS && atomic_load(&p->round) == seen; i++)
            pause_cpu();
        if (atomic_load(&p->round) == seen) {
            pthread_mutex_lock(&p->lock);
            while (atomic_load(&p->round) == seen)
                pthread_cond_wait(&p->start, &p->lock);
            pthread_mutex_unlock(&p->lock);
        }
        seen++;
        if (atomic_load(&p->stop))
            return NULL;
        work(p, s.id);
        if (atomic_fetch_sub(&p->running, 1) == 1) {
            pthread_mutex_lock(&p->lock);
            pthread_cond_signal(&p->done);
            pthread_mutex_unlock(&p->lock);
        }
    }
}

lm_pool *lm_pool_new(unsigned threads)
{
    lm_pool *p = lm_zalloc(1, sizeof *p);

    p->n = 1;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->start, NULL);
    pthread_cond_init(&p->done, NULL);
    p->thread = lm_zalloc(threads, sizeof *p->thread);
    for (unsigned i = 1; i < threads; i++) {
        struct seat *s = lm_zalloc(1, sizeof *s);

        *s = (struct seat){p, p->n};
        if (pthread_create(&p->thread[p->n], NULL, loop, s)) {
            free(s); /* fewer threads: slower, the same result */
            break;
        }
        p->n++;
    }
    return p;
}

unsigned lm_pool_size(const lm_pool *p)
{
    return p ? p->n : 1;
}

static void kick(lm_pool *p)
{
    pthread_mutex_lock(&p->lock);
    atomic_fetch_add(&p->round, 1);
    pthread_cond_broadcast(&p->start);
    pthread_mutex_unlock(&p->lock);
}

void lm_pool_run(lm_pool *p, size_t n, void (*f)(void *ctx, size_t i, unsigned thread), void *ctx)
{
    if (!p || p->n == 1 || n <= 1) {
        for (size_t i = 0; i < n; i++)
            f(ctx, i, 0);
        return;
    }
    p->f = f;
    p->ctx = ctx;
    p->count = n;
    atomic_store(&p->next, 0);
    atomic_store(&p->running, p->n - 1);
    kick(p);
    work(p, 0);
    for (int i = 0; i < SPINS && atomic_load(&p->running); i++)
        pause_cpu();
    if (atomic_load(&p->running)) {
        pthread_mutex_lock(&p->lock);
        while (atomic_load(&p->running))
            pthread_cond_wait(&p->done, &p->lock);
        pthread_mutex_unlock(&p->lock);
    }
}

void lm_pool_free(lm_pool *p)
{
    if (!p)
        return;
    atomic_store(&p->stop, true);
    kick(p);
    for (unsigned i = 1; i < p->n; i++)
        pthread_join(p->thread[i], NULL);
    pthread_cond_destroy(&p->start);
    pthread_cond_destroy(&p->done);
    pthread_mutex_destroy(&p->lock);
    free(p->thread);
    free(p);
}
