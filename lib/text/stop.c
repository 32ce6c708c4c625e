/* stop: the rules that end a generated text. */
#include "text/stop.h"

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t find(lm_str text, size_t from, lm_str what)
{
    const char *p = from < text.n ? memmem(text.p + from, text.n - from, what.p, what.n) : NULL;

    return p ? (size_t)(p - text.p) : SIZE_MAX;
}

static size_t line_end(lm_str text)
{
    bool some = false;

    for (size_t i = 0; i < text.n; i++) {
        some = some || !blank(text.p[i]);
        if (text.p[i] == '\n' && some)
            return i + 1;
    }
    return SIZE_MAX;
}

/* Blanks that begin the cursor's line; a line of blanks alone goes on in the text. */
static size_t cursor_indent(lm_str prompt, lm_str text, bool *known)
{
    size_t at = prompt.n, n = 0;

    while (at && prompt.p[at - 1] != '\n')
        at--;
    while (at + n < prompt.n && (prompt.p[at + n] == ' ' || prompt.p[at + n] == '\t'))
        n++;
    *known = at + n < prompt.n;
    if (*known)
        return n;
    for (size_t i = 0, col = n; i < text.n; i++) {
        if (text.p[i] == '\n') {
            col = 0;
        } else if (!blank(text.p[i])) {
            *known = true;
            return col;
        } else {
            col++;
        }
    }
    return n;
}

static size_t block_end(lm_str prompt, lm_str text)
{
    bool known, fresh = false;
    size_t indent = cursor_indent(prompt, text, &known), col = 0, start = 0;
    long depth = 0;

    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (c == '\n') {
            fresh = true;
            col = 0;
            start = i + 1;
        } else if (fresh && (c == ' ' || c == '\t')) {
            col++;
        } else if (c != '\r') {
            if (fresh && known && col < indent)
                return start;
            fresh = false;
            depth += c == '(' || c == '[' || c == '{';
            depth -= c == ')' || c == ']' || c == '}';
            if (depth < 0)
                return i;
        }
    }
    return SIZE_MAX;
}

int lm_stop_find(const lm_stop *s, lm_str prompt, lm_str text, size_t seen, size_t *cut)
{
    size_t at = SIZE_MAX;
    int why = -1;

    if (s->at == LM_STOP_LINE || s->at == LM_STOP_BLOCK) {
        at = s->at == LM_STOP_LINE ? line_end(text) : block_end(prompt, text);
        if (at != SIZE_MAX)
            why = s->at;
    }
    for (size_t i = 0; i < s->nstr; i++) {
        size_t back = s->str[i].n - 1, from = seen > back ? seen - back : 0, hit;

        hit = find(text, from, s->str[i]);
        if (hit < at) {
            at = hit;
            why = LM_STOP_STRING;
        }
    }
    if (why >= 0)
        *cut = at;
    return why;
}
