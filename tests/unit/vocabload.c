/* tokenizer.json: what the scanner of its two long lists reads is what a whole JSON tree says, and
   what that refuses it refuses, for every damage of one byte. */
#include "lm.h"
#include "tap.h"

typedef struct {
    lm_str token[1024];
    uint8_t added[1024];
    uint32_t size;
    uint32_t merge[64][3];
    size_t nmerge;
    lm_arena *ar;
} plain;

/* The bytes of byte-level text; p NULL: it is none. */
static lm_str unlevel(lm_arena *ar, lm_str s)
{
    char *to = lm_arena_alloc(ar, s.n + 1);
    size_t n = 0, len;

    for (size_t i = 0; i < s.n; i += len) {
        int b = lm_bytechar_back(lm_utf8_get(s.p + i, s.n - i, &len));

        if (b < 0)
            return (lm_str){NULL, 0};
        to[n++] = (char)b;
    }
    return (lm_str){n ? to : NULL, n};
}

static uint32_t find(const plain *v, lm_str s)
{
    for (uint32_t id = 0; id < v->size; id++)
        if (v->token[id].p && !v->added[id] && lm_eq(v->token[id], s))
            return id;
    return LM_NO_ID;
}

static bool plain_merge(plain *v, json_t *j)
{
    lm_str s = lm_json_text(j), a = {NULL, 0}, b = a, c;
    const char *sp = s.p ? memchr(s.p, ' ', s.n) : NULL;
    char *both;

    if (sp) {
        a = (lm_str){s.p, (size_t)(sp - s.p)};
        b = (lm_str){sp + 1, s.n - a.n - 1};
    } else if (json_array_size(j) == 2) {
        a = lm_json_text(json_array_get(j, 0));
        b = lm_json_text(json_array_get(j, 1));
    }
    if (!a.p || !b.p || !(a = unlevel(v->ar, a)).p || !(b = unlevel(v->ar, b)).p ||
        v->nmerge == LM_COUNT(v->merge))
        return false;
    both = lm_arena_alloc(v->ar, a.n + b.n);
    memcpy(both, a.p, a.n);
    memcpy(both + a.n, b.p, b.n);
    c = (lm_str){both, a.n + b.n};
    v->merge[v->nmerge][0] = find(v, a);
    v->merge[v->nmerge][1] = find(v, b);
    v->merge[v->nmerge][2] = find(v, c);
    for (int i = 0; i < 3; i++)
        if (v->merge[v->nmerge][i] == LM_NO_ID)
            return false;
    v->nmerge++;
    return true;
}

static bool plain_lists(plain *v, json_t *root)
{
    json_t *model = json_object_get(root, "model"), *j;
    json_t *vocab = json_object_get(model, "vocab"), *merges = json_object_get(model, "merges");
    const char *key;
    size_t i;

    if (!json_is_object(vocab) || !json_is_array(merges))
        return false;
    json_array_foreach(json_object_get(root, "added_tokens"), i, j)
    {
        json_int_t id = json_integer_value(json_object_get(j, "id"));

        if (id < 0 || id >= (json_int_t)LM_COUNT(v->token))
            return false;
        v->token[id] = lm_json_text(json_object_get(j, "content"));
        v->added[id] = 1;
        v->size = v->size <= id ? (uint32_t)id + 1 : v->size;
    }
    json_object_foreach (vocab, key, j) {
        json_int_t id = json_integer_value(j);

        if (!json_is_integer(j) || id < 0 || id >= (json_int_t)LM_COUNT(v->token))
            return false;
        if (v->added[id] == 1 && lm_is(v->token[id], key)) {
            v->added[id] = 2;
            continue;
        }
        if (v->token[id].p || !(v->token[id] = unlevel(v->ar, lm_cstr(key))).p)
            return false;
        v->size = v->size <= id ? (uint32_t)id + 1 : v->size;
    }
    json_array_foreach(merges, i, j) if (!plain_merge(v, j)) return false;
    return true;
}

static bool equal(const plain *p, const lm_vocab *v)
{
    uint32_t m[3];

    if (lm_vocab_size(v) != p->size || lm_vocab_merges(v) != p->nmerge)
        return false;
    for (uint32_t id = 0; id < p->size; id++)
        if (!lm_eq(lm_vocab_token(v, id), p->token[id]) ||
            !p->token[id].p != !lm_vocab_token(v, id).p)
            return false;
    for (size_t i = 0; i < p->nmerge; i++) {
        lm_vocab_merge(v, i, &m[0], &m[1], &m[2]);
        if (memcmp(m, p->merge[i], sizeof m))
            return false;
    }
    return true;
}

/* Both ways: -1 they differ, 0 both refuse, 1 both take it and are equal. inside: the damage, if
   any, is in a list, so that all the rest is well. */
static int both(lm_str text, bool inside)
{
    plain p = {.ar = lm_arena_new()};
    json_t *root = NULL;
    lm_vocab *v;
    bool want = lm_json_parse(text, &root) >= 0 && plain_lists(&p, root);
    int err = lm_vocab_parse(text, (lm_str){NULL, 0}, &v), got;

    got = !err ? (want && equal(&p, v) ? 1 : -1)
          : err == LM_EINVALID && *lm_last_error()->detail && (!want || !inside) ? 0
                                                                                 : -1;
    if (got < 0)
        printf("# want %d, err %d %s\n", want, err, err ? lm_last_error()->detail : "");
    json_decref(root);
    lm_vocab_free(v);
    lm_arena_free(p.ar);
    return got;
}

#define VOCAB \
    "\"vocab\": {\n \"a\": 0, \"\\u0062\": 1, \"\xc4\xa0\" : 2,\"ab\":3, \"\\\"\": 5,\n" \
    "\"\\\\\": 6, \"\xc4\xa0" \
    "ab\": 7, \"<|x|>\": 9, \"\xef\xbd\x9c\": 10, \"\xc2\xa1\": 11," \
    "\"\\u0120a\": 12, \"\\\"\\\\\": 13 }"
#define MERGES \
    "\"merges\": [ [\"a\", \"b\"], [ \"\xc4\xa0\" ,\"ab\" ],\"\\u0120 a\", [\"\\\"\",\"\\\\\"]]"
#define REST \
    "\"added_tokens\": [{\"id\": 9, \"content\": \"<|x|>\", \"special\": true}," \
    "{\"id\": 10, \"content\": \"\xef\xbd\x9c\"}, {\"id\": 14, \"content\": \"new\"}]," \
    "\"pre_tokenizer\": {\"type\": \"ByteLevel\", \"use_regex\": true, \"add_prefix_space\": " \
    "false}"

static void damage(lm_str whole, size_t from, size_t to)
{
    static const char put[] = "\"\\,:]}[{ a01.eu\0\x01\xff\xc4\xa0\x80\n";
    size_t kept = 0, refused = 0;
    bool good = true;
    lm_buf b = {0};

    for (size_t i = 0; i < whole.n; i++)
        for (size_t k = 0; k < sizeof put + 2; k++) {
            size_t skip = k != sizeof put; /* replaced, put between, cut */
            int got;

            b.n = 0;
            lm_buf_add(&b, whole.p, i);
            if (k < sizeof put)
                lm_buf_addc(&b, put[k]);
            else if (k == sizeof put)
                lm_buf_addc(&b, put[i % (sizeof put - 1)]);
            if (k < sizeof put + 1)
                lm_buf_add(&b, whole.p + i + skip, whole.n - i - skip);
            got = both(lm_buf_str(&b), i >= from && i < to);
            if (got < 0)
                printf("# byte %zu, damage %zu: %s\n", i, k, b.p);
            good &= got >= 0;
            kept += got > 0;
            refused += got == 0;
        }
    ok(good && kept > 100 && refused > 1000, "damage of one byte anywhere: as the tree says");
    lm_buf_free(&b);
}

static void place(const char *text, const char *want, const char *name)
{
    lm_vocab *v;
    int err = lm_vocab_parse(lm_cstr(text), (lm_str){NULL, 0}, &v);

    if (!ok(err == LM_EINVALID && strstr(lm_last_error()->detail, want), name))
        printf("# %s\n", err ? lm_last_error()->detail : "taken");
    lm_vocab_free(v);
}

/* Keys longer than what is taken at once, many of them, in no order. */
static void large(void)
{
    lm_buf b = {0};
    lm_vocab *v;
    bool good;

    lm_buf_adds(&b,
                "{" REST ",\"model\":{\"merges\":[],\"vocab\":{\"<|x|>\":9,\"\xef\xbd\x9c\":10");
    for (unsigned i = 15; i < 3000; i++) {
        lm_buf_addf(&b, ",\"%u.", i);
        for (unsigned k = i % 100 == 99 ? 70000 : i % 7; k; k--)
            lm_buf_addc(&b, 'x');
        lm_buf_addf(&b, "\":%u", 3000 + 14 - i);
    }
    lm_buf_adds(&b, "}}}");
    good = !lm_vocab_parse(lm_buf_str(&b), (lm_str){NULL, 0}, &v) && lm_vocab_size(v) == 3000;
    for (uint32_t id = 15; good && id < 3000; id++) {
        unsigned i = 3000 + 14 - id;
        size_t n = 3 + (i > 99) + (i > 999) + (i % 100 == 99 ? 70000 : i % 7);

        good = lm_vocab_token(v, id).n == n && lm_vocab_find(v, lm_vocab_token(v, id)) == id;
    }
    ok(good, "3,000 tokens, some of 70,000 bytes, backwards");
    lm_vocab_free(v);
    lm_buf_free(&b);
}

/* Merges at random: most tokens are not what their own bytes become. */
static bool at_random(uint64_t *seed)
{
    lm_buf b = {0}, merges = {0};
    lm_str pool[66] = {LM_STR("a"), LM_STR("b")};
    lm_arena *ar = lm_arena_new();
    uint32_t id = 256, n = 2;
    lm_vocab *v = NULL;
    bool good;

    lm_buf_adds(&b, "{" REST ",\"model\":{\"vocab\":{");
    for (uint32_t i = 0, at = 20; i < 256; i++) {
        lm_buf_adds(&b, i ? ",\"" : "\"");
        if (i == '"' || i == '\\')
            lm_buf_addc(&b, '\\');
        lm_byte_level(&b, (lm_str){(const char[]){(char)i}, 1});
        lm_buf_addf(&b, "\":%u", at++);
        id = at;
    }
    while (n < LM_COUNT(pool)) {
        lm_str x = pool[lm_splitmix(seed) % n], y = pool[lm_splitmix(seed) % n];
        char *both = lm_arena_alloc(ar, x.n + y.n);
        bool known = x.n + y.n > 30;

        memcpy(both, x.p, x.n);
        memcpy(both + x.n, y.p, y.n);
        pool[n] = (lm_str){both, x.n + y.n};
        for (uint32_t i = 0; i < n; i++)
            known |= lm_eq(pool[i], pool[n]);
        if (known)
            continue;
        lm_buf_addf(&b, ",\"%.*s\":%u", (int)pool[n].n, both, id++);
        lm_buf_addf(&merges, "%s[\"%.*s\",\"%.*s\"]", n > 2 ? "," : "", (int)x.n, x.p, (int)y.n,
                    y.p);
        n++;
    }
    lm_buf_addf(&b, "},\"merges\":[%s]}}", merges.p);
    good = lm_vocab_parse(lm_buf_str(&b), (lm_str){NULL, 0}, &v) >= 0;
    for (uint32_t i = 0; good && i < n; i++)
        for (uint32_t k = 0; good && k < n; k++) {
            lm_ids fast = {0}, slow = {0};

            b.n = 0;
            lm_buf_add(&b, pool[i].p, pool[i].n);
            if (k)
                lm_buf_add(&b, pool[k].p, pool[k].n);
            good = !lm_vocab_encode(v, lm_buf_str(&b), &fast) &&
                   !lm_vocab_encode_slow(v, lm_buf_str(&b), &slow) && fast.n == slow.n &&
                   !memcmp(fast.v, slow.v, fast.n * sizeof *fast.v);
            free(fast.v);
            free(slow.v);
        }
    lm_vocab_free(v);
    lm_arena_free(ar);
    lm_buf_free(&b);
    lm_buf_free(&merges);
    return good;
}

int main(void)
{
    uint64_t seed = 3;
    bool same = true;

    static const char a[] = "{" REST ", \"model\": {\"type\": \"BPE\", " VOCAB ", " MERGES "}}";
    static const char b[] = "{\"model\": {" MERGES ", \"x\": [{}], " VOCAB "}, " REST " } ";
    const char *p = strstr(a, "\"vocab\": {") + 10;

    ok(both(lm_cstr(a), true) == 1, "the lists behind the rest");
    ok(both(lm_cstr(b), true) == 1, "the merges first, the rest behind");
    damage((lm_str){a, sizeof a - 1}, (size_t)(p - a), (size_t)(strstr(p, "}") - a));
    damage((lm_str){b, sizeof b - 1}, 23, (size_t)(strstr(b, ", \"x\"") - b));
    place("{\"model\": {\"vocab\": {\n\n \"a\": 0, \"b\" 1}}}", "line 3, column 14 (byte 36)",
          "the place of an error in a list");
    place("{\"model\": {\"vocab\": {\n\n \"a\": 0}, \"merges\": [\n] },\n \"x\": nul}", "line 5",
          "the place of an error behind the lists");
    place("{\"model\": {\"vocab\": {\"a\": 0, \"a\": 1}}}", "duplicate", "a key given twice");
    place("{\"model\": {\"vocab\": {\"<\xef\xbd\x9c\": 0, \"<\xef\xbd\x9c\": 1}}}", "duplicate",
          "a key given twice that is no byte-level text");
    place("{\"model\": {\"vocab\": {\"a\": 0, \"b\": 0}}}", "id 0 is given twice",
          "an id given twice");
    place("{\"model\": {\"vocab\": {\"a\": 16777216}}}", "no integer from 0", "an id too large");
    place("{\"model\": {\"vocab\": {\"a\": 99999999999999999999}}}", "no integer from 0",
          "an id beyond 64 bits");
    place("{\"model\": {\"vocab\": {\"a\": 01}}}", "integer", "an id with a zero in front");
    place("{\"model\": {\"vocab\": {\"a\": 0}}, \"model\": {\"vocab\": {}}}", "duplicate",
          "two models");
    place("{\"model\": {\"vocab\": {\"\\ud800\": 0}}}", "surrogate", "half a surrogate pair");
    place("{\"model\": {\"vocab\": {\"\\u0000\": 0}}}", "NUL", "NUL in a key");
    place("{" REST ", \"model\": {\"vocab\": {\"a\": 1, \"\xe2\x82\xac\": 0}, \"merges\": []}}",
          "no byte-level token", "a key that is neither byte-level nor added");
    place("{" REST ", \"model\": {\"vocab\": {\"a\": 9}, \"merges\": []}}", "id 9",
          "an added token's id");
    place("{" REST ", \"model\": {\"vocab\": {\"a\": 0}, \"merges\": [[\"a\", \"a\"]]}}",
          "merge 0 names", "a merge that makes no token");
    place("{" REST ", \"model\": {\"vocab\": {\"a\": 0}, \"merges\": [[\"a\", \"a\", \"a\"]]}}",
          "merge 0 is no pair", "a merge of three");
    large();
    for (int i = 0; i < 6; i++)
        same &= at_random(&seed);
    ok(same, "merges at random, most tokens out of reach: the slow encoder's ids");
    return done();
}
