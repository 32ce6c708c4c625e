/* A directory tree in byte order of its paths: within a directory the names are sorted, those of
   directories as if they ended in '/', which is the order of the paths below the root. */
#include "text/walk.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    int (*f)(void *ctx, const lm_walk_entry *e);
    void *ctx;
    const char *root;
    uint64_t depth;
    lm_buf path;
} walk;

typedef struct {
    char *name;
    mode_t mode;
} item;

/* Directories carry their '/' while they are sorted. */
static int by_name(const void *a, const void *b)
{
    return strcmp(((const item *)a)->name, ((const item *)b)->name);
}

static int tell(walk *w, int kind, int dir, const char *name)
{
    lm_walk_entry e = {kind, lm_buf_str(&w->path), dir, name};

    return w->f(w->ctx, &e);
}

static int failed(walk *w, const char *what)
{
    char where[512];

    snprintf(where, sizeof where, "%s%s%s", w->root, w->path.n ? "/" : "",
             w->path.n ? w->path.p : "");
    lm_err_sys(where, what);
    return LM_EIO;
}

/* Reads the directory into items; takes fd over (closed by closedir on the stream returned). */
static DIR *list(int fd, item **items, size_t *n)
{
    DIR *d = fdopendir(fd);
    struct dirent *e;
    size_t cap = 0;

    if (!d) {
        close(fd);
        return NULL;
    }
    while ((errno = 0, e = readdir(d))) {
        struct stat st;
        size_t len = strlen(e->d_name);
        item *it;

        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW))
            continue; /* gone since it was listed */
        LM_GROW(*items, *n, cap);
        it = &(*items)[(*n)++];
        it->mode = st.st_mode;
        it->name = lm_alloc(len + 2);
        memcpy(it->name, e->d_name, len + 1);
        if (S_ISDIR(st.st_mode))
            memcpy(it->name + len, "/", 2);
    }
    if (errno) {
        closedir(d);
        return NULL;
    }
    if (*n)
        qsort(*items, *n, sizeof **items, by_name);
    return d;
}

static int enter(walk *w, int fd, uint64_t depth)
{
    item *items = NULL;
    size_t n = 0, base = w->path.n;
    DIR *d = list(fd, &items, &n);
    int err = 0;

    if (!d) {
        failed(w, "read");
        err = depth ? tell(w, LM_WALK_ERROR, -1, NULL) : LM_EIO;
    }
    for (size_t i = 0; i < n; i++) {
        bool isdir = S_ISDIR(items[i].mode);
        char *name = items[i].name;
        int sub;

        if (isdir)
            name[strlen(name) - 1] = 0;
        if (d && !err) {
            w->path.n = base;
            if (base)
                lm_buf_addc(&w->path, '/');
            lm_buf_adds(&w->path, name);
            if (isdir && depth + 1 >= w->depth)
                err = tell(w, LM_WALK_DEEP, -1, NULL);
            else if (!isdir && !S_ISREG(items[i].mode))
                err = tell(w, S_ISLNK(items[i].mode) ? LM_WALK_LINK : LM_WALK_DEVICE, -1, NULL);
            else if (!isdir)
                err = tell(w, LM_WALK_FILE, dirfd(d), name);
            else if ((sub = openat(dirfd(d), name,
                                   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) >= 0)
                err = enter(w, sub, depth + 1);
            else
                failed(w, "open"), err = tell(w, LM_WALK_ERROR, -1, NULL);
        }
        free(name);
    }
    free(items);
    if (d)
        closedir(d);
    w->path.n = base;
    return err;
}

int lm_walk(const char *root, uint64_t depth, int (*f)(void *ctx, const lm_walk_entry *e),
            void *ctx)
{
    walk w = {.f = f, .ctx = ctx, .root = root, .depth = depth};
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

    if (fd < 0)
        return lm_err_sys(root, "open");
    err = enter(&w, fd, 0);
    lm_buf_free(&w.path);
    return err;
}
