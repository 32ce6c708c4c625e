/* num: checked parsing and shortest printing of numbers, free of the locale. */
#include "base/base.h"
#include <locale.h>
#include <math.h>
#include <time.h>

bool lm_parse_u64(lm_str s, uint64_t *v)
{
    uint64_t x = 0;

    if (!s.n || (s.n > 1 && s.p[0] == '0'))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(x, (uint64_t)10, &x) ||
            __builtin_add_overflow(x, (uint64_t)(s.p[i] - '0'), &x))
            return false;
    *v = x;
    return true;
}

bool lm_parse_part(lm_str s, uint64_t *i, uint64_t *n)
{
    const char *slash = s.n ? memchr(s.p, '/', s.n) : NULL;
    size_t at = slash ? (size_t)(slash - s.p) : 0;

    return slash && lm_parse_u64((lm_str){s.p, at}, i) &&
           lm_parse_u64((lm_str){slash + 1, s.n - at - 1}, n) && *i < *n && *n <= 1 << 20;
}

bool lm_parse_i64(lm_str s, int64_t *v)
{
    bool neg = s.n && s.p[0] == '-';
    uint64_t x;

    if (!lm_parse_u64((lm_str){s.p + neg, s.n - neg}, &x) || x > (uint64_t)INT64_MAX + neg)
        return false;
    *v = neg ? (int64_t)(0 - x) : (int64_t)x;
    return true;
}

static locale_t c_locale(void)
{
    static _Atomic(locale_t) made;
    locale_t l = atomic_load(&made);

    if (!l) {
        locale_t none = (locale_t)0;

        l = newlocale(LC_ALL_MASK, "C", (locale_t)0);
        if (!atomic_compare_exchange_strong(&made, &none, l)) {
            freelocale(l);
            l = none;
        }
    }
    return l;
}

bool lm_parse_f64(lm_str s, double *v)
{
    char z[400], *end;
    static const struct {
        const char *name;
        double val;
    } word[] = {{"nan", NAN}, {"inf", INFINITY}, {"-inf", -INFINITY}};

    for (size_t i = 0; i < LM_COUNT(word); i++)
        if (lm_is(s, word[i].name)) {
            *v = word[i].val;
            return true;
        }
    if (!s.n || s.n >= sizeof z)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!memchr("0123456789+-.eE", s.p[i], 15))
            return false;
    if (s.p[0] == '+')
        return false;
    memcpy(z, s.p, s.n);
    z[s.n] = 0;
    *v = strtod_l(z, &end, c_locale());
    return end == z + s.n && isfinite(*v); /* what overflows is refused */
}

static bool scaled(lm_str s, uint64_t *v, const char *letters, uint64_t base)
{
    uint64_t mul = 1, x;

    if (s.n > 1)
        for (const char *l = letters; *l; l++) {
            mul *= base;
            if (s.p[s.n - 1] == *l) {
                s.n--;
                return lm_parse_u64(s, &x) && !__builtin_mul_overflow(x, mul, v);
            }
        }
    return lm_parse_u64(s, v);
}

bool lm_parse_num(lm_str s, uint64_t *v)
{
    return scaled(s, v, "kMGT", 1000);
}
bool lm_parse_size(lm_str s, uint64_t *v)
{
    return scaled(s, v, "KMGT", 1024);
}

/* %e and %f of the C locale whatever the process runs in. */
static int print(char out[32], bool plain, int digits, double v)
{
    locale_t old = uselocale(c_locale());
    int n = plain ? snprintf(out, 32, "%.*f", digits, v) : snprintf(out, 32, "%.*e", digits, v);

    uselocale(old);
    return n;
}

static int special(char out[32], double v)
{
    if (isnan(v))
        return snprintf(out, 32, "nan");
    if (isinf(v))
        return snprintf(out, 32, v < 0 ? "-inf" : "inf");
    return 0;
}

/* v with so many digits behind the first: plain where that is no longer, else 1.5e-7. */
static int shown(char out[32], int digits, double v)
{
    int n = print(out, false, digits, v), ex;
    char *e = strchr(out, 'e');

    ex = (int)strtol(e + 1, NULL, 10);
    if (ex >= -4 && ex < 16)
        return print(out, true, digits > ex ? digits - ex : 0, v);
    n = (int)(e - out);
    return n + snprintf(e, (size_t)(32 - n), "e%d", ex);
}

int lm_fmt_f64(char out[32], double v)
{
    int n = special(out, v), digits = 0;

    if (n)
        return n;
    while (print(out, false, digits, v), digits < 16 && strtod_l(out, NULL, c_locale()) != v)
        digits++;
    return shown(out, digits, v);
}

/* The common case of lm_fmt_f32 without printf: tries one digit more at a time, in doubles. Powers
   of ten to 10^22 are exact, so the decimal r / p is within half a unit of the 53rd bit of what is
   computed, and only near the middle of two floats could strtof decide otherwise: that is left to
   the slow way. 0 = left. */
static int quick(char out[32], float v)
{
    static const double ten[] = {1,   1e1, 1e2, 1e3,  1e4,  1e5,  1e6,
                                 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13};
    double a = fabs((double)v), back;
    uint64_t r, bits;
    int k, n = 0, i;
    char s[24];

    if (!(a >= 1e-4 && a < 1e9) && v != 0)
        return 0;
    for (k = 0; k < (int)LM_COUNT(ten); k++) { /* k digits behind the point */
        r = (uint64_t)(a * ten[k] + .5);
        r -= (double)r - a * ten[k] == .5 && r & 1; /* a tie goes to even, as in printf */
        back = (double)r / ten[k];
        memcpy(&bits, &back, sizeof bits);
        bits &= (1u << 29) - 1;
        if (bits >= (1u << 28) - 2 && bits <= (1u << 28) + 2)
            return 0;
        if ((float)back == (float)a)
            break;
    }
    if (k == (int)LM_COUNT(ten) || r > 999999999)
        return 0;
    do
        s[n++] = (char)('0' + r % 10);
    while ((r /= 10) || n <= k);
    i = 0;
    if (signbit(v))
        out[i++] = '-';
    while (n) {
        out[i++] = s[--n];
        if (n == k && k)
            out[i++] = '.';
    }
    out[i] = 0;
    return i;
}

int lm_fmt_f32(char out[32], float v)
{
    int n = special(out, (double)v), digits = 0;

    if (!n)
        n = quick(out, v);
    if (n)
        return n;
    while (print(out, false, digits, (double)v), digits < 8 && strtof_l(out, NULL, c_locale()) != v)
        digits++;
    return shown(out, digits, (double)v);
}

void lm_fmt_bytes(char out[16], uint64_t n)
{
    static const char *const unit[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double v = (double)n;
    int u = 0;

    for (; v >= 999.5 && u < 6; u++)
        v /= 1000;
    snprintf(out, 16,
             u && v < 9.995   ? "%.2f %s"
             : u && v < 99.95 ? "%.1f %s"
                              : "%.0f %s",
             v, unit[u]);
}

double lm_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
