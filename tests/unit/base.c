/* base: buffers, arenas, the map, hashes against known values, checked sizes, errors, files. */
#include "base/base.h"
#include "tap.h"
#include <unistd.h>

static void buffers(void)
{
    lm_buf b = {0};
    bool good = true;

    lm_buf_adds(&b, "ab");
    lm_buf_addc(&b, 'c');
    lm_buf_addf(&b, "%d-%s", 12, "x");
    ok(lm_is(lm_buf_str(&b), "abc12-x") && b.p[b.n] == 0, "a buffer grows and keeps a NUL behind");
    for (int i = 0; i < 100000; i++)
        lm_buf_addc(&b, (char)i);
    for (int i = 0; i < 100000; i++)
        good &= b.p[7 + i] == (char)i;
    ok(good && b.n == 100007 && b.p[b.n] == 0, "it keeps what was added through many growths");
    lm_buf_free(&b);
    ok(!b.p && !b.n && lm_buf_str(&b).p, "an empty buffer's string is not NULL");
}

static void arenas(void)
{
    lm_arena *a = lm_arena_new();
    char *p[200];
    bool aligned = true, whole = true;

    for (size_t i = 0; i < 200; i++) {
        p[i] = lm_arena_alloc(a, i * 37);
        aligned &= (uintptr_t)p[i] % 16 == 0;
        memset(p[i], (int)i, i * 37);
    }
    for (size_t i = 0; i < 200; i++)
        for (size_t k = 0; k < i * 37; k++)
            whole &= p[i][k] == (char)i;
    ok(aligned, "arena memory is 16-byte aligned");
    ok(whole, "arena pieces do not overlap");
    ok(lm_arena_str(a, LM_STR("x")).p[1] == 0, "an arena string has a NUL behind");
    lm_arena_reset(a);
    ok(lm_arena_alloc(a, 5000000) != NULL,
       "an arena serves again after a reset, larger than a block");
    lm_arena_reset(a);
    lm_arena_reset(a);
    lm_arena_free(a);
    lm_arena_free(NULL);
}

static void dict(void)
{
    lm_dict m = {0};
    lm_str key;
    uint64_t *v, sum = 0;
    char s[32];
    size_t at = 0, n = 0;
    bool good = true;

    ok(!lm_dict_get(&m, LM_STR("a")), "an empty map holds nothing");
    for (unsigned i = 0; i < 50000; i++) {
        int len = snprintf(s, sizeof s, "key%u", i);

        *lm_dict_put(&m, (lm_str){s, (size_t)len}, 7) += i;
    }
    memset(s, 0, sizeof s);
    ok(m.n == 50000, "50,000 keys are 50,000 entries, whatever becomes of the caller's copies");
    for (unsigned i = 0; i < 50000; i++) {
        int len = snprintf(s, sizeof s, "key%u", i);

        v = lm_dict_get(&m, (lm_str){s, (size_t)len});
        good &= v && *v == 7 + i;
    }
    ok(good, "each is found with its value");
    ok(*lm_dict_put(&m, LM_STR("key5"), 99) == 12, "put of a known key leaves its value");
    *lm_dict_put(&m, LM_STR(""), 1) = 1;
    *lm_dict_put(&m, (lm_str){"\0", 1}, 2) = 2;
    ok(*lm_dict_get(&m, LM_STR("")) == 1 && *lm_dict_get(&m, (lm_str){"\0", 1}) == 2,
       "the empty key and a NUL byte are keys");
    while (lm_dict_each(&m, &at, &key, &v)) {
        n++;
        sum += *v;
    }
    ok(n == 50002 && sum == 50000ull * 7 + 50000ull * 49999 / 2 + 3, "each entry is met once");
    lm_dict_free(&m);
    ok(!m.slot && !m.n, "a freed map is an empty one");
}

static void hashes(void)
{
    char hex[65];
    uint8_t d[32];
    lm_id id, back;
    uint64_t s = 0;
    lm_str v[2] = {LM_STR("a"), LM_STR("bc")}, w[2] = {LM_STR("ab"), LM_STR("c")};

    ok(lm_hash64("", 0, 0) == 0x2d06800538d394c2u, "XXH3-64 of nothing is the published value");
    id = lm_hash128("", 0);
    lm_id_hex(id, hex);
    ok(!strcmp(hex, "99aa06d3014798d86001c324468d497f"),
       "XXH3-128 of nothing is the published value");
    ok(lm_id_parse(lm_cstr(hex), &back) && !lm_id_cmp(id, back), "an id survives hex and back");
    ok(!lm_id_parse(LM_STR("99aa06d3014798d86001c324468d497"), &back), "31 digits are no id");
    ok(!lm_id_parse(LM_STR("99AA06d3014798d86001c324468d497f"), &back), "upper case is no id");
    ok(lm_id_parse(LM_STR("99aa06d3014798d86001c324468d497f00"), &back),
       "of a longer hash the first 32 digits count");
    ok(lm_id_cmp((lm_id){1, 0}, (lm_id){0, 9}) > 0 && lm_id_cmp((lm_id){1, 2}, (lm_id){1, 3}) < 0,
       "ids compare by the high half first");
    ok(lm_crc32(0, "123456789", 9) == 0xcbf43926u, "CRC-32 check value");
    ok(lm_crc32(lm_crc32(0, "1234", 4), "56789", 5) == 0xcbf43926u, "CRC-32 in two pieces");
    ok(lm_crc32(lm_crc32(7, NULL, 0), "", 0) == 7, "of which none may change it");
    lm_sha256("abc", 3, d);
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", d[i]);
    ok(!strcmp(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
       "SHA-256 of abc (FIPS 180-4)");
    lm_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, d);
    ok(d[0] == 0x5b && d[1] == 0xdc && d[31] == 0x43, "HMAC-SHA-256, RFC 4231 case 2");
    ok(lm_splitmix(&s) == 0xe220a8397b1dcdafu && lm_splitmix(&s) == 0x6e789e6aa1b965f4u,
       "SplitMix64 from 0 gives the published first values");
    ok(lm_keyed(1, "t", v, 2) != lm_keyed(1, "t", w, 2),
       "the keyed hash knows where its values end");
    ok(lm_keyed(1, "t", v, 2) != lm_keyed(2, "t", v, 2) &&
           lm_keyed(1, "t", v, 2) != lm_keyed(1, "u", v, 2),
       "it depends on seed and tag");
    ok(lm_keyed(3, "t", v, 2) == lm_hash64("t\0a\0bc", 6, 3),
       "it is XXH3-64 of the values joined by NUL");
}

static void errors(void)
{
    lm_error *e = lm_last_error();

    ok(lm_err(LM_EINVALID, "n is %d", 3) == LM_EINVALID && e->err == LM_EINVALID &&
           !strcmp(e->detail, "n is 3") && !*e->where,
       "an error is stored and returned");
    lm_err_at(LM_EIO, "f", "old");
    ok(lm_err_at(LM_EIO, e->where, "new: %s", e->detail) == LM_EIO &&
           !strcmp(e->detail, "new: old") && !strcmp(e->where, "f"),
       "an error may be made of the one before");
    ok(lm_class_exit(LM_DONE) == 0 && lm_class_exit(LM_NO) == 1 && lm_class_exit(LM_EUSAGE) == 2 &&
           lm_class_exit(LM_EINVALID) == 3 && lm_class_exit(LM_EABORT) == 4 &&
           lm_class_exit(LM_EFACILITY) == 5 && lm_class_exit(LM_EAGAIN) == 6 &&
           lm_class_exit(LM_EDIVERGED) == 7 && lm_class_exit(LM_ESUSPECT) == 8,
       "each class has its exit code");
    ok(!strcmp(lm_class_name(LM_ETRUNC), "truncated") &&
           !strcmp(lm_class_name(LM_EMISMATCH), "mismatch"),
       "and its name");
}

static void sizes(void)
{
    size_t n;

    ok(!lm_mul_ok(SIZE_MAX, 2, &n) && !lm_add_ok(SIZE_MAX, 1, &n),
       "sizes that do not fit are told");
    ok(lm_mul_ok(3, 5, &n) && n == 15 && lm_add_ok(3, 5, &n) && n == 8, "others are computed");
    ok(lm_cmp(LM_STR("ab"), LM_STR("abc")) < 0 && lm_cmp(LM_STR("\xff"), LM_STR("a")) > 0 &&
           !lm_cmp(LM_STR("a"), LM_STR("a")),
       "strings compare by unsigned bytes, a prefix first");
    {
        char *p = lm_alloc_huge(3000000);
        bool zero = true;

        for (size_t i = 0; i < 3000000; i += 4096)
            zero &= !p[i];
        ok(zero && (uintptr_t)p % 4096 == 0, "huge memory is zeroed and page aligned");
        lm_free_huge(p, 3000000);
    }
}

static void files(void)
{
    char dir[] = "/tmp/lm-unit-XXXXXX", path[64], deep[64];
    lm_buf b = {0};
    lm_str m;
    FILE *f;

    if (!ok(mkdtemp(dir) != NULL, "a scratch folder"))
        return;
    snprintf(path, sizeof path, "%s/f", dir);
    snprintf(deep, sizeof deep, "%s/a/b/c", dir);
    f = fopen(path, "w");
    if (f) {
        fputs("hello", f);
        fclose(f);
    }
    ok(lm_read_file(path, &b, 100) == 0 && lm_is(lm_buf_str(&b), "hello"), "a file is read whole");
    b.n = 0;
    ok(lm_read_file(path, &b, 4) == LM_ELIMIT, "not beyond its limit");
    lm_buf_free(&b);
    ok(lm_read_file(deep, &b, 100) == LM_EIO, "a missing file is io");
    ok(lm_mmap_file(path, &m) == 0 && lm_is(m, "hello"), "and mapped");
    lm_munmap_file(m);
    ok(lm_mkdirs(deep, 0755) == 0 && lm_mkdirs(deep, 0755) == 0 && !access(deep, X_OK),
       "folders are made with their parents");
    ok(lm_rmtree(dir) == 0 && access(dir, F_OK), "and removed with what they hold");
    lm_buf_free(&b);
}

int main(void)
{
    buffers();
    arenas();
    dict();
    hashes();
    errors();
    sizes();
    files();
    return done();
}
