#!/bin/sh
# fuzz.sh SECONDS TARGET ..: runs each libFuzzer target for SECONDS from tests/fuzz/seeds/NAME, if any,
# and what earlier runs found; stops at the first crash, whose input it leaves in build/fuzz/crash.
set -u
seconds=$1
shift
[ $# -gt 0 ] || { echo 'fuzz: no targets' >&2; exit 1; }
export ASAN_OPTIONS="${ASAN_OPTIONS:-allocator_may_return_null=1}"
mkdir -p build/fuzz/crash
for target; do
    name=${target##*/}
    mkdir -p "build/fuzz/corpus/$name"
    set -- "build/fuzz/corpus/$name"
    [ ! -d "tests/fuzz/seeds/$name" ] || set -- "$@" "tests/fuzz/seeds/$name"
    printf '%s: ' "$name"
    if "$target" -max_total_time="$seconds" -rss_limit_mb=4096 -timeout=10 -max_len=65536 -print_final_stats=1 \
        -artifact_prefix="build/fuzz/crash/$name-" "$@" >"build/fuzz/$name.log" 2>&1; then
        awk '/number_of_executed_units/ {n = $2} /average_exec_per_sec/ {s = $2}
            END {printf "%d executions, %d/s, no finding\n", n, s}' "build/fuzz/$name.log"
    else
        tail -n 40 "build/fuzz/$name.log"
        exit 1
    fi
done
