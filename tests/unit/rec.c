/* rec: header lines taken and refused, attributes, edits in place, arrays in a body. */
#include "stream/stream.h"
#include "tap.h"

static int parse(const char *line, lm_rec *r, uint64_t *len)
{
    const char *why;

    return lm_head_parse(line, strlen(line), r, len, &why);
}

static void heads(void)
{
    static const char *const bad[] = {"@doc 1",
                                      "doc 1\n",
                                      "@Doc 1\n",
                                      "@ 1\n",
                                      "@doc\n",
                                      "@doc \n",
                                      "@doc  1\n",
                                      "@doc 01\n",
                                      "@doc -1\n",
                                      "@doc 1x\n",
                                      "@doc 1000000000000000000\n",
                                      "@doc 1 a\n",
                                      "@doc 1 A=1\n",
                                      "@doc 1 a=%zz\n",
                                      "@doc 1 a=%4\n",
                                      "@doc 1 a=%e0\n",
                                      "@doc 1 a=b\r\n",
                                      "@doc 1 a=b\tc=d\n",
                                      "@doc 1 a=b  c=d\n",
                                      "@doc 1 a=\x7f\n",
                                      "@doc 1 a=\xc3\xa9\n",
                                      "@1doc 1\n",
                                      "@doc 1 =b\n",
                                      "@doc 1 a.b=c\n",
                                      "@abcdefghijklmnopqrstuvwxyz0123456 1\n",
                                      "@doc 1 abcdefghijklmnopqrstuvwxyz0123456=1\n",
                                      "@doc 1 -a=1\n",
                                      "@do_c 1\n"};
    lm_rec r = {0};
    uint64_t len = 7;
    bool none = true;

    ok(!parse("@doc 26 path=src/a.c lang=c\n", &r, &len) && len == 26 && lm_is(r.type, "doc") &&
           lm_is(r.attrs, "path=src/a.c lang=c"),
       "a header gives type, length, attributes");
    ok(!parse("@x-1 0\n", &r, &len) && len == 0 && lm_is(r.type, "x-1") && !r.attrs.n,
       "it may have no attributes");
    ok(!parse("@t 999999999999999999 a= b-c=%20%FF~!    \n", &r, &len) && len == LM_MAX_LEN &&
           lm_is(r.attrs, "a= b-c=%20%FF~!"),
       "18 digits, an empty value, escapes, padding");
    ok(!parse("@t 5     \n", &r, &len) && !r.attrs.n, "padding alone");
    ok(!parse("@abcdefghijklmnopqrstuvwxyz012345 1 abcdefghijklmnopqrstuvwxyz012345=1\n", &r, &len),
       "words of 32 bytes");
    for (size_t i = 0; i < LM_COUNT(bad); i++)
        if (parse(bad[i], &r, &len) != LM_ECORRUPT) {
            printf("# taken: %s\n", bad[i]);
            none = false;
        }
    ok(none, "everything else is corrupt");
    lm_rec_free(&r);
}

static bool text(lm_rec *r, const char *want)
{
    lm_buf b = {0};
    bool good = lm_rec_write(&b, r) == 0 && lm_is(lm_buf_str(&b), want);

    if (!good)
        printf("# have %s\n", b.p ? b.p : "");
    lm_buf_free(&b);
    return good;
}

static void edits(void)
{
    lm_rec r = {0}, more = {0};
    lm_rec *kept;
    lm_str key, val;
    size_t i = 0;
    uint64_t u;
    double d;

    lm_rec_new(&r, "doc");
    lm_body(&r, "abc", 3);
    lm_set(&r, "path", LM_STR("a b%"));
    lm_setf(&r, "n", "%d", 5);
    lm_set_f64(&r, "x", 0.1);
    ok(text(&r, "@doc 3 path=a%20b%25 n=5 x=0.1\nabc\n"), "a record made by hand");
    lm_set(&r, "path", LM_STR("b"));
    lm_set(&r, "new", LM_STR(""));
    lm_del(&r, "n");
    lm_del(&r, "absent");
    ok(text(&r, "@doc 3 path=b x=0.1 new=\nabc\n"),
       "a value changes in place, a new key comes last, one is removed");
    ok(lm_is(lm_get(&r, "path"), "b") && lm_get(&r, "new").p && !lm_get(&r, "new").n &&
           !lm_get(&r, "n").p,
       "an empty value is there, an absent one is not");
    ok(lm_get_f64(&r, "x", &d) == 1 && d == 0.1 && lm_get_u64(&r, "n", &u) == 0 &&
           lm_get_u64(&r, "path", &u) == LM_EINVALID,
       "typed values: there, absent, wrong");
    while (lm_attr_each(&r, &i, &key, &val))
        ;
    ok(lm_is(key, "new"), "attributes are walked in order");
    memcpy(lm_body_alloc(&r, 4), "wxyz", 4);
    lm_retype(&r, "tok");
    ok(text(&r, "@tok 4 path=b x=0.1 new=\nwxyz\n"), "type and body change");
    kept = lm_keep(&r);
    lm_rec_new(&r, "zz");
    ok(text(kept, "@tok 4 path=b x=0.1 new=\nwxyz\n") && text(&r, "@zz 0\n\n"),
       "a kept record lives on");
    lm_rec_new(&more, "zz");
    lm_body(&more, "1", 1);
    lm_add(&r, &more);
    lm_add(&r, kept);
    ok(r.nextra == 2 && r.bextra == 5 &&
           lm_is(lm_buf_str(r.extra), "@zz 1\n1\n@tok 4 path=b x=0.1 new=\nwxyz\n"),
       "records are added to one");
    {
        char *big = lm_alloc(LM_MAX_HEAD);
        lm_buf b = {0};

        memset(big, 'v', LM_MAX_HEAD);
        lm_set(&r, "k", (lm_str){big, LM_MAX_HEAD - 9});
        ok(lm_rec_write(&b, &r) == 0 && b.n == LM_MAX_HEAD + 1,
           "a header of 65,536 bytes is written");
        b.n = 0;
        lm_set(&r, "k", (lm_str){big, LM_MAX_HEAD - 8});
        ok(lm_rec_write(&b, &r) == LM_ELIMIT && !b.n, "one byte more is over the limit");
        lm_buf_free(&b);
        free(big);
    }
    lm_rec_free(kept);
    free(kept);
    lm_rec_free(&r);
    lm_rec_free(&more);
}

static void ids(void)
{
    lm_rec r = {0};
    char hex[33];

    lm_rec_new(&r, "doc");
    lm_id_hex(lm_rec_id(&r), hex);
    ok(!strcmp(hex, "99aa06d3014798d86001c324468d497f"), "without id= it is the hash of the body");
    lm_set(&r, "id", LM_STR("0123456789abcdef0123456789abcdef"));
    lm_id_hex(lm_rec_id(&r), hex);
    ok(!strcmp(hex, "0123456789abcdef0123456789abcdef"), "with id= it is that");
    lm_rec_free(&r);
}

static int array_of(lm_rec *r, const char *name, const char *dt, lm_str *b, uint64_t *d0,
                    uint64_t *n)
{
    *d0 = *n = 0;
    *b = (lm_str){NULL, 0};
    return lm_array(r, name, dt, b, d0, n);
}

static void arrays(void)
{
    static char body[8 + 16 + 24];
    lm_rec r = {0};
    lm_str b;
    uint64_t d0, n;

    lm_rec_new(&r, "tok");
    lm_body(&r, body, sizeof body);
    ok(array_of(&r, "", "u16", &b, &d0, &n) == LM_EMISSING, "an array without dt= is missing");
    lm_set(&r, "dt", LM_STR("u16"));
    lm_set(&r, "shape", LM_STR("3"));
    lm_set(&r, "with", LM_STR("off:u32:4,ids:u8:3x7"));
    ok(array_of(&r, "", "u16", &b, &d0, &n) == 1 && b.p == body && b.n == 6 && d0 == 3 && n == 3,
       "the main array");
    ok(array_of(&r, "off", "u32", &b, &d0, &n) == 1 && b.p == body + 8 && n == 4,
       "the next begins at a multiple of 8");
    ok(array_of(&r, "ids", NULL, &b, &d0, &n) == 1 && b.p == body + 24 && d0 == 3 && n == 21,
       "one of two dimensions");
    ok(array_of(&r, "none", NULL, &b, &d0, &n) == 0, "an absent one is absent");
    ok(array_of(&r, "off", "u64", &b, &d0, &n) == LM_EINVALID, "another type is invalid");
    lm_set(&r, "shape", LM_STR("9223372036854775807,4"));
    ok(array_of(&r, "", NULL, &b, &d0, &n) == LM_EINVALID, "a product that overflows is invalid");
    lm_set(&r, "shape", LM_STR("25"));
    ok(array_of(&r, "", NULL, &b, &d0, &n) == LM_EINVALID,
       "an array longer than the body is invalid");
    lm_set(&r, "shape", LM_STR("3"));
    lm_set(&r, "with", LM_STR("off:u32:18446744073709551615"));
    ok(array_of(&r, "off", NULL, &b, &d0, &n) == LM_EINVALID, "so is a later one");
    lm_set(&r, "with", LM_STR("off"));
    ok(array_of(&r, "off", NULL, &b, &d0, &n) == LM_EINVALID, "and with= that says too little");
    lm_rec_free(&r);
}

int main(void)
{
    heads();
    edits();
    ids();
    arrays();
    return done();
}
