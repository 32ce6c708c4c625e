/* copy: one copy of the command of lm_deal: feeding it, reading its answers, judging its end. */
#include "par/copy.h"
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

void lm_deal_failed(pool *p, int err)
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
            return false; /* its reader tells why it left */
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
    while (!p->stop && c->next >= p->made && !p->whole)
        pthread_cond_wait(&p->change, &p->lock);
    if (!p->stop && c->next < p->made) {
        b = &p->ring[c->next % p->size];
        c->next += p->jobs;
    }
    pthread_mutex_unlock(&p->lock);
    return b;
}

void *lm_copy_feed(void *arg)
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
        c->n += b->n;
        c->b += b->b;
        good = good && feed(c, line, (size_t)n); /* now it may be answered, and b be another */
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
    if (c->asked < c->next)
        c->cur = &p->ring[c->asked % p->size];
    pthread_mutex_unlock(&p->lock);
    return c->cur;
}

static void on_note(void *ctx, lm_str line)
{
    copy *c = ctx;
    pool *p = c->p;
    batch *b = asked(c);

    if (!b)
        return; /* %by of a copy that got no batch */
    if (line.n >= 4 && !memcmp(line.p, "%seg", 4) && (line.n == 4 || line.p[4] == ' ')) {
        pthread_mutex_lock(&p->lock);
        b->answered = true;
        c->cur = NULL;
        c->asked += p->jobs;
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
    early = !p->whole || c->asked < p->made;
    pthread_mutex_unlock(&p->lock);
    status = end_of(c);
    if (status && !(WIFEXITED(status) && WEXITSTATUS(status) == 1)) {
        lm_child_told(status, told, sizeof told);
        return lm_err(LM_EIO, "copy %u of '%s' %s", c->no, p->cmd, told);
    }
    if (early)
        return lm_err(LM_EINVALID, "copy %u of '%s' ended before its input, or keeps %%seg back",
                      c->no, p->cmd);
    p->yes += status == 0;
    return 0;
}

void *lm_copy_read(void *arg)
{
    copy *c = arg;
    lm_rec r = {0};
    int err;

    lm_in_on_note(c->in, on_note, c);
    while ((err = lm_next(c->in, &r)) == 1) {
        batch *b = asked(c);

        if (!b) {
            err = lm_err(LM_EINVALID,
                         "copy %u of '%s' writes records behind its last %%seg: it does not work "
                         "record by record",
                         c->no, c->p->cmd);
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
        lm_deal_failed(c->p, err);
    lm_rec_free(&r);
    return NULL;
}
