/* Unit tests of lib/par/box: what a shell may and may not do in a box, at each level. */
/* link: seccomp */
#include "par/box.h"
#include <signal.h>

static int tests, bad;

static void ok(bool good, const char *what, int level, const lm_box_result *r)
{
    tests++;
    bad += !good;
    printf("%sok %d - level %d: %s\n", good ? "" : "not ", tests, level, what);
    if (!good)
        printf("# exit %d sig %d cpu %d wall %d mem %d out %d pids %d disk %d violation %d broken "
               "%d %s\n# %.*s\n",
               r->exit, r->sig, r->cpu_hit, r->wall_hit, r->mem_hit, r->out_hit, r->pids_hit,
               r->disk_hit, r->violation, r->broken, r->why, (int)r->out.n,
               r->out.p ? r->out.p : "");
}

/* Runs a shell script in a box; the result lives until lm_box_free. */
static lm_box *sh(int level, const char *script, const char *build)
{
    static const char *const ro[] = {"/usr", "/bin", "/lib", "/lib64", NULL};
    static const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
    const char *argv[] = {"/bin/sh", "-c", script, NULL}, *bargv[] = {"/bin/sh", "-c", build, NULL};
    lm_box_file file = {"given", LM_STR("hello\n")};
    lm_box_spec s = {.level = level,
                     .build = build ? bargv : NULL,
                     .argv = argv,
                     .env = env,
                     .ro = ro,
                     .files = &file,
                     .nfiles = 1,
                     .cpu_ms = 300,
                     .wall_ms = 2000,
                     .build_cpu_ms = 2000,
                     .build_mem = 1u << 30,
                     .mem = 256u << 20,
                     .disk = 1u << 20,
                     .fsize = 16u << 20,
                     .pids = 16,
                     .out_max = 1000,
                     .as_ok = true};
    lm_box *b = lm_box_start(&s);

    if (!b) {
        printf("Bail out! %s\n", lm_last_error()->detail);
        exit(1);
    }
    if (lm_box_wait(&b, 1, 20000) != 0) {
        printf("Bail out! no end of: %s\n", script);
        exit(1);
    }
    return b;
}

#define CHECK(what, cond, script, build) \
    do { \
        lm_box *b_ = sh(level, script, build); \
        const lm_box_result *r = lm_box_done(b_); \
        ok(!r->broken && (cond), what, level, r); \
        lm_box_free(b_); \
    } while (0)

static bool says(const lm_box_result *r, const char *s)
{
    return lm_is(lm_buf_str(&r->out), s);
}

int main(void)
{
    for (int level = 3; level >= 1; level--) {
        if (lm_box_probe(level) < 0) {
            printf("ok %d - level %d # SKIP %s\n", ++tests, level, lm_last_error()->detail);
            continue;
        }
        CHECK("output, status and given files", r->exit == 5 && says(r, "hello\n"),
              "cat given; exit 5", NULL);
        CHECK("the report value goes out and comes back", r->exit == 0 && r->reported && !r->forged,
              "printf ? >&3; read -r v <&3; printf '%s\\n' \"$v\" >&3", NULL);
        CHECK("a guessed value is told", r->forged && !r->reported,
              "printf ? >&3; read -r v <&3; printf '00000000000000000000000000000000\\n' >&3",
              NULL);
        CHECK("no value without asking", !r->reported && r->forged, "printf '0000\\n' >&3", NULL);
        CHECK("a build step comes first", r->exit == 0 && says(r, "made\n"), "cat x",
              "echo made >x");
        CHECK("a failed build step is told", r->build_failed && r->exit == 3, "true", "exit 3");
        CHECK("CPU time is limited", r->cpu_hit && r->cpu_us >= 300000, "while :; do :; done",
              NULL);
        CHECK("wall time is limited", r->wall_hit && !r->cpu_hit, "sleep 60", NULL);
        CHECK("output is limited", r->out_hit && r->out.n == 1000,
              "while :; do echo aaaaaaaaaaaaaaaa; done", NULL);
        CHECK("a process left behind is ended", r->exit == 0 && !r->wall_hit,
              "(sleep 60 &) ; exit 0", NULL);
        CHECK("a signal is told", r->sig == SIGSEGV, "kill -SEGV $$", NULL);
        CHECK("too many tasks are told", r->pids_hit,
              "i=0; while [ $i -lt 40 ]; do sleep 5 & i=$((i+1)); done; wait", NULL);
        if (level == 1)
            continue;
        CHECK("files of others cannot be read", r->exit != 0, "cat /etc/shadow", NULL);
        CHECK("nothing outside can be written", r->exit != 0,
              "echo x >/usr/x || echo x >/var/tmp/x", NULL);
        CHECK("a call without honest use ends it", r->violation, "unshare -r true; sleep 5", NULL);
        if (level == 3)
            CHECK("the disk is limited", r->disk_hit, "head -c 9000000 /dev/zero >x", NULL);
    }
    printf("1..%d\n", tests);
    return bad != 0;
}
