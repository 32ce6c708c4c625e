/* trainstate: what a run is made of, as text: compared on resume, written in every checkpoint. No
   clock, no host, no path: equal runs have equal bytes. */
#include "nn/traini.h"
#include "base/json.h"
#include <inttypes.h>

void lm_settings_add(lm_settings *s, const char *key, const char *fmt, ...)
{
    lm_setting *v = &s->v[s->n++];
    va_list ap, again;
    int n;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    v->val = lm_alloc((size_t)n + 1);
    vsnprintf(v->val, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(ap);
    snprintf(v->key, sizeof v->key, "%s", key);
}

void lm_settings_f64(lm_settings *s, const char *key, double v)
{
    char text[32];

    lm_fmt_f64(text, v);
    lm_settings_add(s, key, "%s", text);
}

void lm_settings_free(lm_settings *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->v[i].val);
    s->n = 0;
}

static void skip_hash(const lm_trainer *t, lm_settings *s)
{
    lm_buf b = {0};
    char hex[33];

    if (!t->o->skip_ids)
        return;
    if (lm_read_file(t->o->skip_ids, &b, 1 << 30) >= 0) {
        lm_id_hex(lm_hash128(b.p ? b.p : "", b.n), hex);
        lm_settings_add(s, "skip-ids", "%s", hex);
    }
    lm_buf_free(&b);
}

void lm_trainer_recipe(lm_trainer *t)
{
    static const char *const sched[] = {"wsd", "cosine", "linear", "const"}, *const opt[] = {
                                                                                 "adamw", "muon",
                                                                                 "lion"};
    const lm_train_opt *o = t->o;
    const lm_cfg *c = &t->m->cfg;
    lm_settings *r = &t->recipe, *s = &t->sched;
    char b1[32], b2[32], eps[32], theta[32], hex[33];

    lm_fmt_f64(eps, c->eps);
    lm_fmt_f64(theta, c->theta);
    lm_settings_add(
        r, "arch",
        "%s,vocab:%u,dim:%u,layers:%u,heads:%u,kv:%u,head:%u,ffn:%u,eps:%s,theta:%s,rope:%d,%s",
        lm_family_of(c)->type, c->vocab, c->dim, c->layers, c->heads, c->kv_heads, c->head_dim,
        c->ffn, eps, theta, c->rope, c->tie ? "tied" : "untied");
    lm_id_hex(lm_data_about(t->data)->hash, hex);
    lm_settings_add(r, "data", "%s", t->in ? "-" : hex);
    if (o->mix)
        lm_settings_add(r, "mix", "%s", o->mix);
    if (strcmp(o->shuffle, "full"))
        lm_settings_add(r, "shuffle", "%s", o->shuffle);
    lm_settings_add(r, "vocab", "%s", t->vocab[0] ? t->vocab : "none");
    lm_settings_add(r, "seed", "%" PRIu64, o->seed);
    lm_settings_add(r, "seq", "%" PRIu64, t->seq);
    if (lm_nn_whole(t->nn)) /* it changes no bit, and may change */
        lm_settings_add(r, "micro", "any");
    else
        lm_settings_add(r, "micro", "%" PRIu64, t->micro);
    lm_settings_add(r, "batch-tokens", "%" PRIu64, t->rows * t->seq);
    lm_settings_add(r, "pack", "%s", o->plain ? "plain" : "docmask");
    skip_hash(t, r);
    lm_settings_add(r, "loss", o->sft ? "sft" : "ce");
    lm_settings_f64(r, "zloss", o->zloss);
    lm_settings_add(r, "opt", "%s", opt[o->opt]);
    lm_fmt_f64(b1, o->beta1);
    lm_fmt_f64(b2, o->beta2);
    lm_settings_add(r, "betas", "%s,%s", b1, b2);
    lm_settings_f64(r, "eps", o->eps);
    lm_settings_f64(r, "wd", o->wd);
    lm_settings_f64(r, "clip", o->clip);
    if (o->ema > 0)
        lm_settings_f64(r, "ema", o->ema);
    if (o->freeze)
        lm_settings_add(r, "freeze", "%s", o->freeze);
    lm_settings_add(r, "dtype", "%s", o->dt == LM_BF16 ? "bf16" : "f32");
    if (o->sum == LM_SUM_TILE)
        lm_settings_add(r, "sum", "tile");
    lm_settings_f64(s, "lr", o->lr);
    lm_settings_add(s, "sched", "%s", sched[o->sched]);
    lm_settings_add(s, "steps", "%" PRIu64, t->steps);
    lm_settings_add(s, "warmup", "%" PRIu64, t->warm);
    lm_settings_add(s, "decay", "%" PRIu64, t->decay);
}

void lm_trainer_run_id(lm_trainer *t)
{
    lm_buf b = {0};

    for (size_t i = 0; i < t->recipe.n; i++)
        lm_buf_addf(&b, "%s=%s\n", t->recipe.v[i].key, t->recipe.v[i].val);
    for (size_t i = 0; i < t->sched.n; i++)
        lm_buf_addf(&b, "%s=%s\n", t->sched.v[i].key, t->sched.v[i].val);
    lm_buf_addf(&b, "step=%" PRIu64 "\nparent=%s\n", t->step, t->parent);
    lm_id_hex(lm_hash128(b.p, b.n), t->run);
    lm_buf_free(&b);
}

static void object(lm_jw *w, const char *key, const lm_settings *s)
{
    lm_jw_obj(w, key);
    for (size_t i = 0; i < s->n; i++)
        lm_jw_str(w, s->v[i].key, lm_cstr(s->v[i].val));
    lm_jw_end(w);
}

/* The run that goes on is named by what it began as: a resumed run writes the bytes of an unbroken
 * one. */
void lm_trainer_state(const lm_trainer *t, lm_buf *out)
{
    lm_jw w;

    lm_jw_init(&w, out, 2);
    lm_jw_obj(&w, NULL);
    lm_jw_u64(&w, "format", 1);
    lm_jw_str(&w, "version", lm_cstr(lm_version()));
    lm_jw_u64(&w, "step", t->step);
    lm_jw_u64(&w, "tokens", t->samples * t->seq);
    lm_jw_u64(&w, "samples", t->samples);
    lm_jw_u64(&w, "updates", lm_nn_updates(t->nn));
    lm_jw_str(&w, "batch_hash", lm_cstr(t->bhash));
    object(&w, "recipe", &t->recipe);
    object(&w, "schedule", &t->sched);
    lm_jw_end(&w);
    lm_buf_addc(out, '\n');
}

static const char *cure(const char *key)
{
    static const char *const c[][2] = {{"data", "give the shards the run began with"},
                                       {"micro", "give the old value ('any': rows that make a "
                                                 "multiple of 64 tokens)"},
                                       {"vocab", "use the tokenizer the run began with"}};

    for (size_t i = 0; i < LM_COUNT(c); i++)
        if (!strcmp(key, c[i][0]))
            return c[i][1];
    return "give the old value";
}

static bool has(const lm_settings *s, const char *key)
{
    for (size_t i = 0; i < s->n; i++)
        if (!strcmp(s->v[i].key, key))
            return true;
    return false;
}

static int compare(lm_trainer *t, const char *where, const json_t *old, lm_buf *drift)
{
    const char *key;
    json_t *val;

    for (size_t i = 0; i < t->recipe.n; i++) {
        const lm_setting *s = &t->recipe.v[i];
        lm_str v = {0};

        if (lm_json_str(old, s->key, &v) < 0)
            return LM_EINVALID;
        if ((v.p && lm_is(v, s->val)) || !strcmp(s->key, "arch")) /* lm_cfg_diff tells of these */
            continue;
        if (!t->o->allow_drift)
            return lm_err_at(LM_EMISMATCH, where, "%s was %.*s, now %s: %s, or --allow-drift",
                             s->key, v.p ? (int)v.n : 5, v.p ? v.p : "unset", s->val, cure(s->key));
        lm_buf_addf(drift, "%s%s:%.*s->%s", drift->n ? " " : "", s->key, v.p ? (int)v.n : 5,
                    v.p ? v.p : "unset", s->val);
    }
    json_object_foreach ((json_t *)old, key, val) {
        lm_str v = lm_json_text(val);

        if (has(&t->recipe, key))
            continue;
        if (!t->o->allow_drift)
            return lm_err_at(LM_EMISMATCH, where, "%s was %.*s, now unset: %s, or --allow-drift",
                             key, (int)v.n, v.p ? v.p : "", cure(key));
        lm_buf_addf(drift, "%s%s:%.*s->unset", drift->n ? " " : "", key, (int)v.n, v.p ? v.p : "");
    }
    return 0;
}

int lm_trainer_recall(lm_trainer *t, const char *dir, lm_buf *drift)
{
    lm_buf path = {0};
    json_t *j = NULL, *recipe = NULL;
    uint64_t format = 0, updates = 0;
    lm_str hash = {0};
    int err;

    lm_buf_addf(&path, "%s/state.json", dir);
    err = lm_json_read(path.p, 1 << 20, &j);
    if (err >= 0 && ((err = lm_json_need(lm_json_u64(j, "format", &format), "format")) < 0 ||
                     (err = lm_json_need(lm_json_u64(j, "step", &t->step), "step")) < 0 ||
                     (err = lm_json_need(lm_json_u64(j, "samples", &t->samples), "samples")) < 0 ||
                     (err = lm_json_need(lm_json_u64(j, "updates", &updates), "updates")) < 0 ||
                     (err = lm_json_need(lm_json_obj(j, "recipe", &recipe), "recipe")) < 0 ||
                     (err = lm_json_str(j, "batch_hash", &hash)) < 0))
        err = lm_err_at(err, path.p, "%s", lm_last_error()->detail);
    if (err >= 0 && format != 1)
        err = lm_err_at(LM_EVERSION, path.p, "format %" PRIu64, format);
    if (err >= 0)
        err = compare(t, path.p, recipe, drift);
    if (err >= 0) {
        snprintf(t->bhash, sizeof t->bhash, "%.*s", (int)hash.n, hash.p ? hash.p : "");
        lm_nn_set_updates(t->nn, updates);
    }
    json_decref(j);
    lm_buf_free(&path);
    return err < 0 ? err : 0;
}
