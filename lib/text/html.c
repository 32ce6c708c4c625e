/* html: how many characters of an HTML text a reader sees. A scanner of tags, not a parser: what is
   shown by scripts or hidden by styles it cannot know. */
#include <strings.h>
#include "text/linerule.h"

static bool at_word(lm_str t, size_t i, const char *w)
{
    size_t n = strlen(w);

    return i + n <= t.n && !strncasecmp(t.p + i, w, n);
}

static size_t after(lm_str t, size_t i, const char *end)
{
    const char *hit = i < t.n ? memmem(t.p + i, t.n - i, end, strlen(end)) : NULL;

    return hit ? (size_t)(hit - t.p) + strlen(end) : t.n;
}

/* Past the element that starts at t[i] = '<' if it is one that shows nothing, else i. */
static size_t unseen(lm_str t, size_t i)
{
    static const char *const name[] = {"script", "style", "head"};
    size_t k, n;

    for (k = 0; k < LM_COUNT(name); k++) {
        n = strlen(name[k]);
        if (!at_word(t, i + 1, name[k]) || i + 1 + n >= t.n ||
            !memchr(" \t\r\n\f/>", t.p[i + 1 + n], 7))
            continue;
        for (i += 1 + n; i < t.n; i++) /* to </name */
            if (t.p[i] == '<' && i + 1 < t.n && t.p[i + 1] == '/' && at_word(t, i + 2, name[k]))
                return after(t, i, ">");
        return t.n;
    }
    return i;
}

/* Past the tag at t[i] = '<': a > inside a quoted value does not end it. */
static size_t tag(lm_str t, size_t i)
{
    char quote = 0;

    for (i++; i < t.n; i++) {
        char c = t.p[i];

        if (quote)
            quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '>')
            return i + 1;
    }
    return t.n;
}

static bool tag_start(char c)
{
    return c == '/' || c == '!' || c == '?' || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

uint64_t lm_html_visible(lm_str t)
{
    uint64_t seen = 0;
    bool blank = true;
    size_t i = 0, len;

    while (i < t.n) {
        char c = t.p[i];

        if (c == '<' && at_word(t, i, "<!--")) {
            i = after(t, i + 4, "-->");
        } else if (c == '<' && i + 1 < t.n && tag_start(t.p[i + 1])) {
            len = unseen(t, i);
            i = len != i ? len : tag(t, i);
        } else if (c == ' ' || (c >= 9 && c <= 13)) {
            seen += !blank;
            blank = true;
            i++;
        } else {
            len = lm_utf8_len(t.p + i, t.n - i);
            i += len ? len : 1;
            seen++;
            blank = false;
        }
    }
    return seen - (seen && blank); /* no blank at the end */
}
