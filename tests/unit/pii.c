/* pii: every rule's samples, the gates at every place of a block, windows, levels, overlaps,
   stability. No literal here looks like a secret: all are put together at run time. */
#include "kernels/cpu.h"
#include "text/pii.h"

static int count, failed;
static lm_pii_list found;

static void ok(bool good, const char *name)
{
    failed += !good;
    printf("%sok %d - %s\n", good ? "" : "not ", ++count, name);
}

static lm_pii *make(int level, bool all_ip, size_t window)
{
    lm_pii_cfg cfg = {.k = lm_data_at(level),
                      .kinds = LM_PII_ALL,
                      .all_ip = all_ip,
                      .window = window};

    return lm_pii_new(&cfg);
}

/* What is found, as type=text joined by spaces. */
static const char *all_of(const lm_pii *p, lm_str text, lm_buf *out)
{
    size_t i;

    out->n = 0;
    lm_buf_adds(out, "");
    lm_buf_need(out, 1)[0] = 0;
    lm_pii_scan(p, text, (lm_str){NULL, 0}, &found);
    for (i = 0; i < found.n; i++)
        lm_buf_addf(out, "%s%s=%.*s", i ? " " : "", found.v[i].type, (int)found.v[i].len,
                    text.p + found.v[i].off);
    return out->p;
}

/* A row: text, what is found in it (NULL: itself under type), with '~' in both standing for nothing
   so that no literal is whole. */
typedef struct {
    const char *name, *text, *want;
} row;

static void strip(lm_buf *b, const char *s)
{
    b->n = 0;
    lm_buf_need(b, 1)[0] = 0;
    for (; *s; s++)
        if (*s != '~')
            lm_buf_addc(b, *s);
}

static void rows(const lm_pii *p, const row *r, size_t n)
{
    lm_buf text = {0}, want = {0}, got = {0};
    size_t i;

    for (i = 0; i < n; i++) {
        bool good;

        strip(&text, r[i].text);
        strip(&want, r[i].want);
        good = !strcmp(all_of(p, lm_buf_str(&text), &got), want.p);
        ok(good, r[i].name);
        if (!good)
            printf("# want: %.300s\n# have: %.300s\n", want.p, got.p);
    }
    lm_buf_free(&text);
    lm_buf_free(&want);
    lm_buf_free(&got);
}

static const row mail[] = {
    {"e-mail: plain", "write to jo.doe+x@mail.corp~.org, please", "email=jo.doe+x@mail.corp~.org"},
    {"e-mail: at both ends of the text", "a@b~.de", "email=a@b~.de"},
    {"e-mail: two that touch a separator", "a@b~.de,c@d~.fr", "email=a@b~.de email=c@d~.fr"},
    {"e-mail: no leading, trailing or double dots", ".ab@c~.de a.@c~.de a..b@c~.de",
     "email=ab@c~.de email=b@c~.de"},
    {"e-mail: signs of a diff are no part", "+ab@c~.de\n-cd@e~.fr",
     "email=ab@c~.de email=cd@e~.fr"},
    {"e-mail: reserved names are let be",
     "a@example~.com b@x.example~.org c@host~.test d@e~.invalid", ""},
    {"e-mail: a remote of git is none", "git@github~.com:a/b git@host~.org/x", ""},
    {"e-mail: pictures at double size are none", "icon@2x~.png logo@x~.svg a@b~.js", ""},
    {"e-mail: versions are none", "lodash@4.17~.21 x@1.2.3-beta~.rc", ""},
    {"e-mail: decorators and calls are none", "@property f@g.hh(x)", ""},
    {"e-mail: a local part of 64, not of 65",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@b~.de "
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@b~.de",
     "email=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@b~.de"},
    {"e-mail: the last label has letters alone", "a@b~.c1 a@b.1~23 a@b~.x", ""},
};
static const row addresses[] = {
    {"IPv4: a public address", "host 93.184~.216.34.", "ipv4=93.184~.216.34"},
    {"IPv4: at the borders", "93.184~.216.34", "ipv4=93.184~.216.34"},
    {"IPv4: with a port", "93.184~.216.34:80", "ipv4=93.184~.216.34"},
    {"IPv4: five groups, leading zeros, 256, words",
     "1.93.184~.216.34 93.184~.016.34 93.184~.256.34 v93.184~.216.34 93.184~.216.34a", ""},
    {"IPv4: private, loopback, documentation, multicast stay",
     "10.1.2.33 192.168.100.7 172.16.31.4 127.0.0.11 169.254.11.1 192.0.2.55 224.0.0.22", ""},
    {"IPv4: public resolvers, masks stay", "dns 8.8.8.8 dns 1.1.1.1 149.112.112.112 255.255.255.0",
     ""},
    {"IPv4: seven characters are a version", "release 5.6.7~.8", ""},
    {"IPv4: unless a server is near", "nameserver 5.6.7~.8", "ipv4=5.6.7~.8"},
    {"IPv4: a word near the start of the text counts", "dns 5.6.7~.8", "ipv4=5.6.7~.8"},
    {"IPv4: four small numbers are a section", "// 23.3.12~.31 of the standard", ""},
    {"IPv4: a version by name", "Version=24.10~.30.31", ""},
    {"IPv6: a public address", "at 2a00:1450~:4001:82f::200e ok", "ipv6=2a00:1450~:4001:82f::200e"},
    {"IPv6: full form", "2a00:1450~:4001:82f:1:2:3:200e", "ipv6=2a00:1450~:4001:82f:1:2:3:200e"},
    {"IPv6: in brackets, before a colon", "[2a00:1450~::1]:80 2a00:1450~::2: refused",
     "ipv6=2a00:1450~::1 ipv6=2a00:1450~::2"},
    {"IPv6: link-local, private, documentation, loopback stay",
     "fe80::1:2 fd12::1 2001:db8::5 ::1 ff02::1 ::", ""},
    {"IPv6: scopes, times, MACs are none",
     "std::string a::b dead::beef 12:34:56 00:1a:2b:3c:4d:5e add::f()", ""},
    {"IPv6: a mapped address is judged as IPv4", "::ffff:10.1.2.3 ::ffff:93.184~.216.34",
     "ipv6=::ffff:93.184~.216.34"},
};
static const row quoted[] = {
    {"quoted: a password", "password = \"q8Rk2~0sLq91mZx77Qp\"", "key-generic=q8Rk2~0sLq91mZx77Qp"},
    {"quoted: JSON, YAML, arrows",
     "{\"api_key\": \"q8Rk2~0sLq91mZx77Qp\"} token: 'w8Rk2~0sLq91mZx77Qp' :secret => "
     "'e8Rk2~0sLq91mZx77Qp'",
     "key-generic=q8Rk2~0sLq91mZx77Qp key-generic=w8Rk2~0sLq91mZx77Qp "
     "key-generic=e8Rk2~0sLq91mZx77Qp"},
    {"quoted: 15 characters are too few", "password = \"q8Rk2~0sLq91mZx7\"", ""},
    {"quoted: no name, no secret", "colour = \"q8Rk2~0sLq91mZx77Qp\" f(\"q8Rk2~0sLq91mZx77Qp\")",
     ""},
    {"quoted: low entropy", "password = \"aaaa1111aaaa1111aaaa\"", ""},
    {"quoted: sequences", "key = \"0123456789abcdef\" key = \"abcdefghijklmnop1234\"", ""},
    {"quoted: templates",
     "password = \"${env:q8Rk20sLq91m}\" token='{{ .Values.q8Rk20sLq }}' "
     "key=\"<q8Rk20sLq91mZx77Qp>\"",
     ""},
    {"quoted: names, paths",
     "key = \"my.config.key-v2.main\" token_path=\"/run/secrets/q8Rk20sLq\" "
     "key='translationKeyNumber12'",
     ""},
    {"quoted: UUID, SRI, placeholder",
     "key = \"12345678-1a2b-3c4d-5e6f-1234567890ab\" key=\"sha256-q8Rk20sLq91mZx77Qp\" "
     "secret=\"your_q8Rk20sLq91mZ\"",
     ""},
    {"quoted: a hex digest beside md5", "key = \"3f2b8c~19d04e7a65b1c2d3f4a5968778\" # md5", ""},
    {"quoted: beside a hash at another occurrence",
     "key = \"3f2b8c~19d04e7a65b1c2d3f4a5968778\"\n\n\nsha: 3f2b8c~19d04e7a65b1c2d3f4a5968778\n",
     ""},
    {"quoted: else hex is a key", "key = \"3f2b8c~19d04e7a65b1c2d3f4a5968778\"",
     "key-generic=3f2b8c~19d04e7a65b1c2d3f4a5968778"},
};
static const row urls[] = {
    {"URL: user and password", "psql://joe:hunt~er2@db.corp.org/x", "url-cred=joe:hunt~er2"},
    {"URL: no e-mail inside", "https://joe:hunt~er2@mail.corp.org", "url-cred=joe:hunt~er2"},
    {"URL: templates, manuals, a name twice",
     "ftp://u:${PW}@h ftp://user:password@h ftp://root:root@h ftp://u:%s@h http://host:80/a@b", ""},
};

static void samples(const lm_pii *p)
{
    lm_buf text = {0}, got = {0};
    size_t i, at;
    char name[100];

    for (i = 0; i < lm_pii_nrules; i++) {
        const lm_pii_rule *r = &lm_pii_rules[i];
        bool good = true, bad = true;

        for (at = 0; at < 70; at++) { /* the gate at every place of a block */
            text.n = 0;
            while (text.n < at)
                lm_buf_addc(&text, ' ');
            lm_pii_sample(r, true, i * 100 + at, &text);
            lm_pii_scan(p, lm_buf_str(&text), (lm_str){NULL, 0}, &found);
            good &= found.n == 1 && !strcmp(found.v[0].type, r->name) && found.v[0].off == at &&
                    found.v[0].len == text.n - at;
            if (at % 2)
                lm_buf_adds(&text, "; end");
            lm_pii_scan(p, lm_buf_str(&text), (lm_str){NULL, 0}, &found);
            good &= found.n == 1;
            text.n = 0;
            lm_pii_sample(r, false, i * 100 + at, &text);
            bad &= !*all_of(p, lm_buf_str(&text), &got);
        }
        snprintf(name, sizeof name, "%s %.40s: the true sample is found", r->name, r->pattern);
        ok(good, name);
        snprintf(name, sizeof name, "%s %.40s: the false one (%s) is not", r->name, r->pattern,
                 r->wrong);
        ok(bad, name);
        if (!bad)
            printf("# %.300s\n", got.p);
    }
    lm_buf_free(&text);
    lm_buf_free(&got);
}

static void base64url(lm_buf *out, const char *s)
{
    static const char d[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t v = 0;
    int bits = 0;

    for (; *s; s++)
        for (v = v << 8 | (unsigned char)*s, bits += 8; bits >= 6; bits -= 6)
            lm_buf_addc(out, d[v >> (bits - 6) & 63]);
    if (bits)
        lm_buf_addc(out, d[v << (6 - bits) & 63]);
}

static void token(lm_buf *t, const char *head)
{
    t->n = 0;
    base64url(t, head);
    lm_buf_addc(t, '.');
    base64url(t, "{\"sub\":\"1234567890\"}");
    lm_buf_addc(t, '.');
    base64url(t, "not a signature, but long enough");
}

static void pem(lm_buf *t, const char *kind, size_t bytes)
{
    uint64_t rng = 3;

    t->n = 0;
    lm_buf_addf(t, "x = 1\n%sBEGIN %s%s\n", "-----", kind, "-----");
    while (bytes--)
        lm_buf_addc(t, "ABCDEFGHabcdefgh0123456789+/"[lm_splitmix(&rng) % 28]);
    lm_buf_addf(t, "\n%sEND %s%s\n", "-----", kind, "-----");
}

static void blocks(const lm_pii *p)
{
    lm_buf t = {0};

    token(&t, "{\"alg\":\"HS256\",\"typ\":\"JWT\"}");
    lm_pii_scan(p, lm_buf_str(&t), (lm_str){NULL, 0}, &found);
    ok(found.n == 1 && !strcmp(found.v[0].type, "key-jwt") && found.v[0].len == t.n,
       "a web token, whole");
    token(&t, "{\"typ\":\"JWT\",\"other\":\"thing\"}");
    lm_pii_scan(p, lm_buf_str(&t), (lm_str){NULL, 0}, &found);
    ok(!found.n, "three parts without an algorithm are none");
    pem(&t, "RSA PRIVATE KEY", 800);
    lm_pii_scan(p, lm_buf_str(&t), (lm_str){NULL, 0}, &found);
    ok(found.n == 1 && !strcmp(found.v[0].type, "key-pem") && found.v[0].off == 6 &&
           found.v[0].len == t.n - 7,
       "a private key over several lines");
    pem(&t, "PUBLIC KEY", 800);
    lm_pii_scan(p, lm_buf_str(&t), (lm_str){NULL, 0}, &found);
    ok(!found.n, "a public key is none");
    pem(&t, "PRIVATE KEY", 10);
    lm_pii_scan(p, lm_buf_str(&t), (lm_str){NULL, 0}, &found);
    ok(!found.n, "nor are two lines without a key between");
    lm_buf_free(&t);
}

/* Text full of what is found and of what nearly is. */
static void crowd(lm_buf *b, uint64_t seed, size_t n)
{
    static const char *const filler[] = {"int x = 0;\n",
                                         "// a comment\n",
                                         "foo@bar ",
                                         "1.2.3 ",
                                         "std::map ",
                                         "\"text\" ",
                                         "------ ",
                                         "aaaaaaaaaaaaaaaaaaaaaaaa ",
                                         "http://x/y ",
                                         "key = \"",
                                         "\xc3\xa9",
                                         "x@y~.z ",
                                         "99.9.9",
                                         ":",
                                         "@",
                                         "-",
                                         "."};
    uint64_t rng = seed;

    for (b->n = 0; n--;) {
        uint64_t v = lm_splitmix(&rng);

        switch (v % 12) {
        case 0:
            lm_buf_addf(b, "u%u@host%u.org ", (unsigned)(v >> 8 & 255), (unsigned)(v >> 16 & 255));
            break;
        case 1:
            lm_buf_addf(b, "%u.%u.%u.%u", 20 + (unsigned)(v >> 8 & 127), (unsigned)(v >> 16 & 255),
                        (unsigned)(v >> 24 & 255), 100 + (unsigned)(v >> 32 & 127));
            break;
        case 2:
            lm_buf_addf(b, "2a00:%x::%x ", (unsigned)(v >> 8 & 0xffff),
                        (unsigned)(v >> 24 & 0xffff));
            break;
        case 3:
            lm_pii_sample(&lm_pii_rules[(v >> 8) % lm_pii_nrules], v >> 40 & 1, v, b);
            lm_buf_addc(b, ' ');
            break;
        case 4:
            lm_buf_addf(b, "password: \"%llxQ\"\n", (unsigned long long)v * 3);
            break;
        case 5:
            lm_buf_addf(b, "ftp://u%x:p%llx@h.org/ ", (unsigned)(v >> 8 & 15),
                        (unsigned long long)v);
            break;
        default:
            lm_buf_adds(b, filler[(v >> 8) % LM_COUNT(filler)]);
        }
    }
}

static void crowds(void)
{
    lm_buf a = {0}, b = {0}, want = {0}, got = {0};
    bool levels = true, windows = true, order = true, once = true;
    size_t total = 0, i, w;
    uint64_t seed;
    int level, fake;

    for (seed = 0; seed < 300; seed++) {
        bool all_ip = seed % 2;
        lm_pii *ref = make(0, all_ip, 0);

        crowd(&a, seed, seed % 60 * 40);
        all_of(ref, lm_buf_str(&a), &want);
        total += found.n;
        for (i = 1; i < found.n; i++)
            order &= found.v[i].off >= found.v[i - 1].off + found.v[i - 1].len;
        for (level = 1; level <= lm_cpu_best(); level++) {
            lm_pii *p = make(level, all_ip, 0);

            levels &= !strcmp(all_of(p, lm_buf_str(&a), &got), want.p);
            lm_pii_free(p);
        }
        for (w = 64; w < 3000; w = w * 3 + 64) {
            lm_pii *p = make(lm_cpu_best(), all_ip, w);

            windows &= !strcmp(all_of(p, lm_buf_str(&a), &got), want.p);
            lm_pii_free(p);
        }
        for (fake = 0; fake < 2; fake++) {
            lm_pii_scan(ref, lm_buf_str(&a), (lm_str){NULL, 0}, &found);
            lm_pii_replace(ref, lm_buf_str(&a), (lm_str){NULL, 0}, &found, fake, 7, &b);
            for (i = 1; i < found.n; i++)
                order &= found.v[i].off >= found.v[i - 1].off + found.v[i - 1].len;
            if (*all_of(ref, lm_buf_str(&b), &got)) {
                once = false;
                printf("# again: %.200s\n", got.p);
            }
        }
        lm_pii_free(ref);
    }
    ok(total > 50000, "the crowd holds much to find");
    ok(levels, "every level finds the same");
    ok(windows, "every window finds the same");
    ok(order, "spans come in order and do not overlap");
    ok(once, "what was replaced is not found again, tags and fakes alike");
    lm_buf_free(&a);
    lm_buf_free(&b);
    lm_buf_free(&want);
    lm_buf_free(&got);
}

static void fakes(void)
{
    lm_buf a = {0}, b = {0};

    lm_pii_fake(&a, LM_PII_EMAIL, LM_STR("x"), 1, false);
    lm_pii_fake(&b, LM_PII_EMAIL, LM_STR("x"), 1, false);
    ok(a.n == 17 && lm_eq(lm_buf_str(&a), lm_buf_str(&b)), "one value has one fake");
    b.n = 0;
    lm_pii_fake(&b, LM_PII_EMAIL, LM_STR("x"), 2, false);
    ok(!lm_eq(lm_buf_str(&a), lm_buf_str(&b)), "another seed, another fake");
    a.n = b.n = 0;
    lm_pii_fake(&a, LM_PII_KEY, LM_STR("0123456789"), 1, false);
    lm_pii_fake(&b, LM_PII_KEY, LM_STR("ab"), 1, false);
    ok(a.n == 10 && !memcmp(a.p, "XKEY", 4) && b.n == 2, "the fake of a key has its length");
    lm_buf_free(&a);
    lm_buf_free(&b);
}

int main(void)
{
    lm_pii *p = make(lm_cpu_best(), false, 0), *every = make(lm_cpu_best(), true, 0);
    lm_buf got = {0};

    rows(p, mail, LM_COUNT(mail));
    rows(p, addresses, LM_COUNT(addresses));
    rows(p, quoted, LM_COUNT(quoted));
    rows(p, urls, LM_COUNT(urls));
    ok(!strcmp(all_of(every, LM_STR("10.1.2.33 fe80::1:2 8.8.8.8"), &got),
               "ipv4=10.1.2.33 ipv6=fe80::1:2"),
       "all_ip takes private ones, too");
    lm_pii_scan(p,
                LM_STR("\"key\": \"q8Rk20sLq91m"
                       "Zx77Qp\""),
                LM_STR("a/package-lock.json"), &found);
    ok(!found.n, "quoted values of lock files are none");
    samples(p);
    blocks(p);
    fakes();
    crowds();
    lm_buf_free(&got);
    free(found.v);
    lm_pii_free(p);
    lm_pii_free(every);
    printf("1..%d\n", count);
    return failed != 0;
}
