#!/bin/sh
# bench.sh [NAME]: runs tests/bench/NAME* (all without NAME) and prints their rows as one table. A bench prints
# rows of TAB-separated  what, unit, our figure, peer, the peer's figure  (peer - and no figure: none at hand);
# "(goal 2x)" in what is the ratio aimed at, told as ok, MISS or skip. Lines that begin with '#' are remarks.
set -u
PATH=$PWD/build/${CONF:-release}/bin:$PATH
ROOT=$PWD
export PATH ROOT
rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
bad=0
printf '%s, %s cores, %s\n' "$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)" "$(nproc)" \
    "$(date -u +%Y-%m-%d)"
printf '%-44s %-9s %10s  %-16s %10s %7s %5s %s\n' what unit ours peer theirs ratio goal ''
for b in tests/bench/"${1-}"*; do
    if [ ! -x "$b" ] || [ ! -f "$b" ]; then continue; fi
    "$b" >"$rows" || { echo "bench: $b failed" >&2; bad=1; }
    grep '^#' "$rows" >&2
    grep -v '^#' "$rows" | awk -F'\t' 'NF >= 3 {
        r = ($5 + 0 > 0) ? sprintf("%.2f", $3 / $5) : "-"
        goal = verdict = "-"
        if (match($1, / *\(goal [0-9.]+x\)/)) {
            goal = substr($1, RSTART, RLENGTH)
            $1 = substr($1, 1, RSTART - 1) substr($1, RSTART + RLENGTH)
            gsub(/[^0-9.]/, "", goal)
            verdict = r == "-" ? "skip" : r + 0 >= goal + 0 ? "ok" : "MISS"
        }
        printf "%-44s %-9s %10s  %-16s %10s %7s %5s %s\n", $1, $2, $3, $4 == "" ? "-" : $4, $5 == "" ? "-" : $5, r, goal, verdict }'
done
exit $bad
