/* idx: the index X.lmi: a line "%lmi 1 size=S n=N", then lines of 51 bytes, sorted: record, byte in
   the file, byte inside the frame that starts there, 16 digits each. Found by bisection with pread.
 */
#include "stream/in.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROW 51

/* A number of 16 digits, zeros in front. */
static bool field(const char *s, uint64_t *v)
{
    *v = 0;
    for (int i = 0; i < 16; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
        *v = *v * 10 + (uint64_t)(s[i] - '0');
    }
    return true;
}

static bool row(int fd, uint64_t at, lm_mark *m)
{
    char s[ROW];

    if (lm_pread_all(fd, s, ROW, at) || s[16] != '\t' || s[33] != '\t' || s[50] != '\n')
        return false;
    return field(s, &m->rec) && field(s + 17, &m->off) && field(s + 34, &m->inner);
}

/* Length of the first line if it is that of a fresh index of a file of this size; 0 = not so. */
static size_t head(int fd, uint64_t size)
{
    char s[128], *lf;
    uint64_t have;
    ssize_t n = pread(fd, s, sizeof s, 0);

    lf = n > 7 && !memcmp(s, "%lmi 1 ", 7) ? memchr(s, '\n', (size_t)n) : NULL;
    if (!lf || !lm_parse_u64(lm_attr_find((lm_str){s + 7, (size_t)(lf - s) - 7}, "size"), &have) ||
        have != size)
        return 0;
    return (size_t)(lf - s) + 1;
}

int lm_idx_find(const char *path, uint64_t rec, lm_mark *m)
{
    lm_buf name = {0};
    struct stat data, idx;
    size_t first = 0;
    int fd, found = 0;

    lm_buf_addf(&name, "%s.lmi", path);
    fd = open(name.p, O_RDONLY | O_CLOEXEC);
    lm_buf_free(&name);
    if (fd < 0)
        return 0;
    if (!stat(path, &data) && !fstat(fd, &idx))
        first = head(fd, (uint64_t)data.st_size);
    if (first && ((uint64_t)idx.st_size - first) % ROW == 0) {
        uint64_t lo = 0, hi = ((uint64_t)idx.st_size - first) / ROW;

        while (lo < hi) {
            uint64_t mid = lo + (hi - lo) / 2;
            lm_mark got;

            if (!row(fd, first + mid * ROW, &got)) {
                found = 0;
                break;
            }
            if (got.rec <= rec) {
                *m = got;
                found = 1;
                lo = mid + 1;
            } else {
                hi = mid;
            }
        }
    }
    close(fd);
    return found;
}

uint64_t lm_in_jump(lm_in *in, uint64_t rec)
{
    lm_mark m;

    if (in->npaths != 1 || in->err || !in->src || !lm_src_regular(in->src) ||
        !strcmp(in->paths[0], "-") || !lm_idx_find(in->paths[0], rec, &m) || m.rec <= in->next_seq)
        return 0;
    if (in->tie)
        lm_out_settle(in->tie);
    if (lm_src_seek(in->src, m.off) < 0) {
        in->err = LM_EIO;
        return m.rec;
    }
    in->lo = in->crcat = in->hi;
    in->eof = in->pending = false;
    in->left = 0;
    in->open = in->any = in->jumped = true;
    in->next_seq = m.rec;
    in->off = m.off;
    for (uint64_t left = m.inner; left;) {
        size_t have;

        if (!lm_in_fill(in, 1))
            break;
        have = in->hi - in->lo;
        if (!have)
            break;
        have = have < left ? have : (size_t)left;
        lm_in_eat(in, have);
        left -= have;
    }
    return m.rec;
}
