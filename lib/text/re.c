/* re: see re.h. Limits: a match that backtracks more than MATCH_LIMIT times, or needs more than
   STACK_MAX of JIT stack, gives up; the numbers let every sane pattern through and end a hostile
   one within about a second. */
/* link: pcre2-8 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <pthread.h>
#include "text/re.h"

#define MATCH_LIMIT 10000000u
#define HEAP_LIMIT_KIB 65536u /* for the interpreter, where there is no JIT */
#define STACK_MIN (32u << 10)
#define STACK_MAX (1u << 20)

struct lm_re {
    pcre2_code *code;
    uint32_t groups, match; /* match: options of each match */
};

/* One thread's share: usable with any pattern, freed when the thread ends. */
typedef struct {
    pcre2_match_data *md;
    pcre2_match_context *ctx;
    pcre2_jit_stack *stack;
} scratch;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;

static void scratch_free(void *p)
{
    scratch *s = p;

    pcre2_match_data_free(s->md);
    pcre2_match_context_free(s->ctx);
    pcre2_jit_stack_free(s->stack);
    free(s);
}

static void key_make(void)
{
    if (pthread_key_create(&key, scratch_free))
        lm_oom_hook(sizeof(scratch));
}

static scratch *scratch_get(void)
{
    scratch *s;

    pthread_once(&once, key_make);
    s = pthread_getspecific(key);
    if (s)
        return s;
    s = lm_zalloc(1, sizeof *s);
    s->md = pcre2_match_data_create(LM_RE_GROUPS, NULL);
    s->ctx = pcre2_match_context_create(NULL);
    s->stack = pcre2_jit_stack_create(STACK_MIN, STACK_MAX, NULL);
    if (!s->md || !s->ctx)
        lm_oom_hook(sizeof *s);
    pcre2_set_match_limit(s->ctx, MATCH_LIMIT);
    pcre2_set_heap_limit(s->ctx, HEAP_LIMIT_KIB);
    if (s->stack)
        pcre2_jit_stack_assign(s->ctx, NULL, s->stack);
    if (pthread_setspecific(key, s))
        lm_oom_hook(sizeof *s);
    return s;
}

lm_re *lm_re_new(lm_str pattern, int flags)
{
    uint32_t opt = PCRE2_NEVER_BACKSLASH_C;
    pcre2_compile_context *ctx = pcre2_compile_context_create(NULL);
    pcre2_code *code;
    lm_re *re;
    int err;
    size_t at;

    if (!ctx)
        lm_oom_hook(pattern.n);
    if (flags & LM_RE_ICASE)
        opt |= PCRE2_CASELESS;
    if (flags & LM_RE_UTF)
        opt |= PCRE2_UTF | (flags & LM_RE_VALID ? 0 : PCRE2_MATCH_INVALID_UTF);
    if (flags & LM_RE_LINES)
        opt |= PCRE2_MULTILINE;
    if (flags & LM_RE_UCP)
        opt |= PCRE2_UCP;
    if (flags & LM_RE_DOTALL)
        opt |= PCRE2_DOTALL;
    if (flags & LM_RE_LITERAL) /* a literal allows only these */
        opt = PCRE2_LITERAL | (opt & (PCRE2_CASELESS | PCRE2_UTF | PCRE2_MATCH_INVALID_UTF));
    pcre2_set_newline(ctx, PCRE2_NEWLINE_LF);
    pcre2_set_bsr(ctx, PCRE2_BSR_ANYCRLF);
    code = pcre2_compile((PCRE2_SPTR)(pattern.n ? pattern.p : ""), pattern.n, opt, &err, &at, ctx);
    pcre2_compile_context_free(ctx);
    if (!code) {
        PCRE2_UCHAR text[256];

        if (err == PCRE2_ERROR_HEAP_FAILED)
            lm_oom_hook(pattern.n);
        pcre2_get_error_message(err, text, sizeof text);
        lm_err(LM_EUSAGE, "pattern '%.*s': %s at byte %zu",
               (int)(pattern.n > 200 ? 200 : pattern.n), pattern.n ? pattern.p : "", (char *)text,
               at);
        return NULL;
    }
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); /* no JIT here: the interpreter says the same */
    re = lm_zalloc(1, sizeof *re);
    re->code = code;
    re->match = flags & LM_RE_VALID ? PCRE2_NO_UTF_CHECK : 0;
    pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &re->groups);
    return re;
}

void lm_re_free(lm_re *re)
{
    if (!re)
        return;
    pcre2_code_free(re->code);
    free(re);
}

int lm_re_match(const lm_re *re, lm_str s, size_t from, size_t (*span)[2], size_t n)
{
    scratch *sc = scratch_get();
    PCRE2_SIZE *ov;
    size_t have;
    int rc;

    rc = pcre2_match(re->code, (PCRE2_SPTR)(s.n ? s.p : ""), s.n, from, re->match, sc->md, sc->ctx);
    if (rc == PCRE2_ERROR_NOMATCH)
        return 0;
    if (rc < 0) {
        PCRE2_UCHAR text[256];

        pcre2_get_error_message(rc, text, sizeof text);
        return lm_err(LM_ELIMIT, "pattern gave up: %s", (char *)text);
    }
    if (!span)
        return 1;
    have = rc ? (size_t)rc : LM_RE_GROUPS; /* 0: more groups than room, the first are there */
    ov = pcre2_get_ovector_pointer(sc->md);
    for (size_t i = 0; i < n; i++) {
        span[i][0] = i < have ? ov[2 * i] : SIZE_MAX;
        span[i][1] = i < have ? ov[2 * i + 1] : SIZE_MAX;
    }
    return 1;
}

size_t lm_re_groups(const lm_re *re)
{
    return re->groups;
}

int lm_re_group(const lm_re *re, const char *name)
{
    int n = pcre2_substring_number_from_name(re->code, (PCRE2_SPTR)name);

    return n > 0 ? n : -1;
}
