/* vocab-conv: the files of the three forms. */
#include "text/vocab-conv.h"
#include "base/json.h"
#include "stream/stream.h"
#include "text/tiktoken.h"
#include "text/vocab-gguf.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_FILE = 256 << 20 };

static bool is_dir(const char *path)
{
    struct stat st;

    return !stat(path, &st) && S_ISDIR(st.st_mode);
}

int lm_vform_guess(const char *path)
{
    char head[16385];
    ssize_t n;
    size_t at = 0;
    int fd;

    if (is_dir(path))
        return LM_VFORM_HF;
    if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        return lm_err_sys(path, "cannot open");
    while ((n = read(fd, head + at, sizeof head - 1 - at)) > 0 || (n < 0 && errno == EINTR))
        at += n > 0 ? (size_t)n : 0;
    if (n < 0)
        lm_err_sys(path, "cannot read");
    close(fd);
    if (n < 0)
        return LM_EIO;
    head[at] = 0;
    if (at >= 4 && !memcmp(head, "GGUF", 4))
        return LM_VFORM_GGUF;
    if (head[strspn(head, " \t\r\n")] == '{')
        return LM_VFORM_HF;
    at = strspn(head, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=");
    if (at && head[at] == ' ' && head[at + 1] >= '0' && head[at + 1] <= '9')
        return LM_VFORM_TIKTOKEN;
    return lm_err_at(LM_EINVALID, path,
                     "is no tokenizer.json, GGUF file or list of ranks: say --from");
}

/* --- reading --- */

static int at_path(int err, const char *path)
{
    return *lm_last_error()->where ? err : lm_err_at(err, path, "%s", lm_last_error()->detail);
}

static int parse(lm_vocab_files *f)
{
    return lm_vocab_parse(lm_buf_str(&f->tokenizer),
                          f->has_config ? lm_buf_str(&f->config) : (lm_str){NULL, 0}, &f->v);
}

/* A definition as the two files. Where the source tells no roles, those of the known names are
   written down. */
static int settle(lm_draft *d, lm_vocab_files *f)
{
    int err;

    if (!f->tokenizer.n)
        lm_vocab_write(&d->def, &f->tokenizer, NULL);
    if (!d->roles) {
        if ((err = parse(f)) < 0)
            return err;
        for (int r = 0; r < LM_ROLE_COUNT; r++)
            d->role[r] = lm_vocab_role(f->v, r);
        d->def.role = d->role;
        lm_vocab_free(f->v);
        f->v = NULL;
    }
    if (f->chat)
        d->def.chat = lm_cstr(f->chat);
    lm_vocab_write(&d->def, NULL, &f->config);
    f->has_config = true;
    return parse(f);
}

static int read_hf(const char *path, lm_vocab_files *f)
{
    lm_buf name = {0};
    struct stat st;
    int err;

    lm_buf_addf(&name, "%s%s", path, is_dir(path) ? "/tokenizer.json" : "");
    err = lm_read_file(name.p, &f->tokenizer, MAX_FILE);
    if (err >= 0 && is_dir(path)) {
        lm_buf cfg = {0};

        lm_buf_addf(&cfg, "%s/tokenizer_config.json", path);
        f->has_config = !stat(cfg.p, &st);
        if (f->has_config)
            err = lm_read_file(cfg.p, &f->config, MAX_FILE);
        lm_buf_free(&cfg);
    }
    if (err >= 0 && (err = parse(f)) < 0)
        err = at_path(err, name.p);
    if (err >= 0 && f->has_config) {
        json_t *root = NULL;
        lm_str chat = {0};

        if ((err = lm_json_parse(lm_buf_str(&f->config), &root)) >= 0 &&
            json_is_string(json_object_get(root, "chat_template")) &&
            lm_json_str(root, "chat_template", &chat) > 0)
            f->chat = lm_strndup(chat);
        json_decref(root);
    }
    if (err >= 0 && is_dir(path) && !f->chat) { /* where newer writers put it */
        lm_buf chat = {0};

        name.n = 0;
        lm_buf_addf(&name, "%s/chat_template.jinja", path);
        if (!stat(name.p, &st) && (err = lm_read_file(name.p, &chat, 1 << 20)) >= 0 &&
            lm_utf8_valid(chat.p, chat.n))
            f->chat = lm_strndup(lm_buf_str(&chat));
        lm_buf_free(&chat);
    }
    lm_buf_free(&name);
    return err < 0 ? err : 0;
}

static int read_tiktoken(const char *path, const lm_pre *pre, lm_vocab_files *f)
{
    lm_buf list = {0}, json = {0}, text = {0};
    struct stat st;
    lm_draft d;
    int err;

    lm_draft_init(&d);
    lm_tiktoken_beside(path, &json);
    if ((err = lm_read_file(path, &list, MAX_FILE)) >= 0) {
        if (!stat(json.p, &st)) {
            if ((err = lm_read_file(json.p, &text, MAX_FILE)) >= 0)
                err = lm_tiktoken_meta(lm_buf_str(&text), json.p, &d);
        } else if (!(err = lm_tiktoken_known(lm_buf_str(&list), &d))) {
            d.def.pre = pre;
        }
        if (err >= 0 && !d.def.pre)
            err = lm_err_at(LM_EINVALID, path,
                            "a list of ranks that does not say its pattern: no %s (--pretok "
                            "tells it)",
                            json.p);
    }
    if (err >= 0 && (err = lm_tiktoken_parse(lm_buf_str(&list), path, &d)) >= 0 &&
        ((err = lm_draft_done(&d)) < 0 || (err = settle(&d, f)) < 0))
        err = at_path(err, path);
    lm_draft_free(&d);
    lm_buf_free(&list);
    lm_buf_free(&json);
    lm_buf_free(&text);
    return err;
}

/* A GGUF file's own tokens and merges are those of the tokenizer.json it carries. */
static int agree(const lm_draft *d, lm_str json)
{
    lm_vocab *v = NULL;
    int err = lm_vocab_parse(json, (lm_str){NULL, 0}, &v);
    size_t n = 0;
    bool same;

    if (err < 0)
        return err;
    same = lm_vocab_merges(v) == d->def.nmerge;

    for (uint32_t id = 0; id < lm_vocab_size(v) && same; id++) {
        lm_str s = lm_vocab_token(v, id);

        n += s.p != NULL;
        if (s.p && !lm_vocab_flags(v, id))
            same = id < d->def.ntoken && d->token[id].p && lm_eq(s, d->token[id]);
    }
    for (size_t i = 0; i < d->def.nspecial && same; i++, n--)
        same = lm_vocab_added(v, d->special[i]) == d->id[i];
    for (size_t id = 0; id < d->def.ntoken; id++)
        n -= d->token[id].p != NULL;
    for (size_t k = 0; k < d->def.nmerge && same; k++) {
        uint32_t left, right, id;

        lm_vocab_merge(v, k, &left, &right, &id);
        same = left == d->merge[2 * k] && right == d->merge[2 * k + 1];
    }
    lm_vocab_free(v);
    return same && !n ? 0
                      : lm_err(LM_EMISMATCH, "GGUF: tokenizer.huggingface.json is of another "
                                             "vocabulary than the tokens beside it");
}

static int read_gguf(const char *path, lm_vocab_files *f)
{
    lm_str file = {0}, json, chat;
    lm_gguf *g = NULL;
    lm_draft d;
    int err;

    lm_draft_init(&d);
    if ((err = lm_mmap_file(path, &file)) >= 0 && (err = lm_gguf_parse(file, path, &g)) >= 0 &&
        (err = lm_vocab_from_gguf(g, &d, &json, &chat)) >= 0 && (err = lm_draft_done(&d)) >= 0 &&
        (!json.p || (err = agree(&d, json)) >= 0)) {
        if (json.p)
            lm_buf_add(&f->tokenizer, json.p, json.n);
        if (chat.p && lm_utf8_valid(chat.p, chat.n))
            f->chat = lm_strndup(chat);
        err = settle(&d, f);
    }
    if (err < 0)
        err = at_path(err, path);
    lm_gguf_free(g);
    lm_draft_free(&d);
    lm_munmap_file(file);
    return err;
}

int lm_vocab_read(const char *path, int form, const lm_pre *pre, lm_vocab_files *f)
{
    *f = (lm_vocab_files){0};
    return form == LM_VFORM_HF         ? read_hf(path, f)
           : form == LM_VFORM_TIKTOKEN ? read_tiktoken(path, pre, f)
                                       : read_gguf(path, f);
}

void lm_vocab_files_free(lm_vocab_files *f)
{
    lm_buf_free(&f->tokenizer);
    lm_buf_free(&f->config);
    free(f->chat);
    lm_vocab_free(f->v);
    *f = (lm_vocab_files){0};
}

/* --- writing --- */

static int fill(const char *path, int fd, const lm_buf *b)
{
    return lm_write_all(fd, b->p, b->n) ? lm_err_sys(path, "cannot write") : 0;
}

static int save_file(const char *path, const lm_buf *b)
{
    int fd, err;
    lm_aside *a = lm_aside_open(path, &fd);

    if (!a)
        return LM_EIO;
    if ((err = fill(path, fd, b)) >= 0)
        return lm_aside_commit(a);
    lm_aside_drop(a);
    return err;
}

static int file_in(const char *dir, const char *name, const lm_buf *b)
{
    lm_buf path = {0};
    int fd, err = 0;

    lm_buf_addf(&path, "%s/%s", dir, name);
    fd = open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        err = lm_err_sys(path.p, "cannot create");
    else
        err = fill(path.p, fd, b);
    if (fd >= 0 && close(fd) && !err)
        err = lm_err_sys(path.p, "cannot write");
    lm_buf_free(&path);
    return err;
}

int lm_vocab_save_dir(const char *path, const lm_buf *tokenizer, const lm_buf *config)
{
    lm_aside *dir = lm_aside_dir(path);
    int err;

    if (!dir)
        return LM_EIO;
    err = file_in(lm_aside_path(dir), "tokenizer.json", tokenizer);
    if (err >= 0 && config)
        err = file_in(lm_aside_path(dir), "tokenizer_config.json", config);
    if (err >= 0)
        return lm_aside_commit(dir);
    lm_aside_drop(dir);
    return err;
}

static int save_tiktoken(const lm_vocab_files *f, const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    lm_buf text[2] = {{0}}, beside = {0}, name = {0}; /* NAME.json, then the list */
    lm_aside *a[2] = {NULL, NULL};
    int err;

    lm_tiktoken_beside(path, &beside);
    lm_tiktoken_beside(base, &name);
    name.p[name.n - strlen(".json")] = 0;
    err = lm_tiktoken_write(f->v, name.p, &text[1], &text[0]);
    for (int i = 0, fd; i < 2 && err >= 0; i++) { /* both are whole before either has its name */
        const char *to = i ? path : beside.p;

        a[i] = lm_aside_open(to, &fd);
        err = a[i] ? fill(to, fd, &text[i]) : LM_EIO;
    }
    for (int i = 0; i < 2; i++) {
        if (a[i] && err >= 0)
            err = lm_aside_commit(a[i]);
        else if (a[i])
            lm_aside_drop(a[i]);
        lm_buf_free(&text[i]);
    }
    lm_buf_free(&beside);
    lm_buf_free(&name);
    return err;
}

static int save_gguf(const lm_vocab_files *f, const char *path)
{
    lm_buf file = {0};
    lm_ggw w;
    int err;

    lm_ggw_init(&w, LM_GG_ALIGN);
    lm_ggw_str(&w, "general.architecture",
               LM_STR("gpt2")); /* llama.cpp wants one; no tensor follows */
    err = lm_vocab_to_gguf(f->v, lm_buf_str(&f->tokenizer), lm_cstr(f->chat), 0, &w);
    if (err >= 0) {
        lm_ggw_head(&w, &file);
        err = save_file(path, &file);
    }
    lm_ggw_free(&w);
    lm_buf_free(&file);
    return err;
}

int lm_vocab_save(const lm_vocab_files *f, int form, const char *path)
{
    return form == LM_VFORM_HF
               ? lm_vocab_save_dir(path, &f->tokenizer, f->has_config ? &f->config : NULL)
           : form == LM_VFORM_TIKTOKEN ? save_tiktoken(f, path)
                                       : save_gguf(f, path);
}
