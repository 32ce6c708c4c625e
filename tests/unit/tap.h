/* tap: what a unit test prints: ok(condition, name) for each fact, return done() at the end of main. */
#ifndef LM_TAP_H
#define LM_TAP_H
#include <stdbool.h>
#include <stdio.h>

static int tap_count, tap_failed;

static inline bool ok(bool good, const char *name)
{
    tap_failed += !good;
    printf("%sok %d - %s\n", good ? "" : "not ", ++tap_count, name);
    return good;
}

static inline int done(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed > 0;
}

#endif
