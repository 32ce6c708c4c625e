#!/bin/sh
# bench.sh [NAME]: runs tests/bench/NAME* (all without NAME) and prints their rows as one table. A bench prints
# rows of TAB-separated  what, unit, our figure, peer, the peer's figure  (peer - and no figure: none at hand);
# lines that begin with '#' are remarks and go to stderr.
set -u
PATH=$PWD/build/${CONF:-release}/bin:$PATH
ROOT=$PWD
export PATH ROOT
rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
bad=0
printf '%s, %s cores, %s\n' "$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)" "$(nproc)" \
    "$(date -u +%Y-%m-%d)"
printf '%-44s %-10s %12s  %-14s %12s %7s\n' what unit ours peer theirs ratio
for b in tests/bench/"${1-}"*; do
    if [ ! -x "$b" ] || [ ! -f "$b" ]; then continue; fi
    "$b" >"$rows" || { echo "bench: $b failed" >&2; bad=1; }
    grep '^#' "$rows" >&2
    grep -v '^#' "$rows" | awk -F'\t' 'NF >= 3 {
        r = ($5 + 0 > 0) ? sprintf("%.2f", $3 / $5) : "-"
        printf "%-44s %-10s %12s  %-14s %12s %7s\n", $1, $2, $3, $4 == "" ? "-" : $4, $5 == "" ? "-" : $5, r }'
done
exit $bad
