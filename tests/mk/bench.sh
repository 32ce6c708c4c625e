#!/bin/sh
# bench.sh [NAME]: runs tests/bench/NAME* (all without NAME) and prints their rows as one table. A bench prints rows
# of TAB-separated
#     what, unit, our figure, peer, the peer's figure[, limit[, our peak MB, the peer's peak MB]]
# Nothing or '-' where there is none: no peer at hand, no limit known. limit is what the hardware or theory allows, in
# the same unit; how it was come by stands in the bench. Units of s, ms, us, ns, MB and t/t are better the less they
# are, all others the more. "(goal 2x)" in what is the ratio to the peer aimed at, "(goal <30)" and "(goal >30)" our
# figure itself; told as ok, MISS or skip. Lines that begin with '#' are remarks. Exit 1 if a bench failed: it could
# not run, or results differed.
set -u
PATH=$PWD/build/${CONF:-release}/bin:$PATH
ROOT=$PWD
PYTHONDONTWRITEBYTECODE=1
export PATH ROOT PYTHONDONTWRITEBYTECODE
rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
bad=0
printf '%s, %s cores, %s\n' "$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)" "$(nproc)" \
    "$(date -u +%Y-%m-%d)"
printf '%-46s %-10s %9s %-16s %9s %7s %5s %9s %6s %6s %6s\n' \
    what unit ours peer theirs ratio goal limit %limit MB theirs
for b in tests/bench/"${1-}"*; do
    if [ ! -x "$b" ] || [ ! -f "$b" ]; then continue; fi
    "$b" >"$rows" || { echo "bench: $b failed" >&2; bad=1; }
    grep '^#' "$rows" >&2
    grep -v '^#' "$rows" | awk -F'\t' '
    function per(a, b) { return a + 0 > 0 && b + 0 > 0 ? less ? b / a : a / b : "" }
    function show(v, form) { return v == "" || v == "-" ? "-" : form == "" ? v : sprintf(form, v) }
    NF >= 3 {
        what = $1; less = $2 ~ /^(s|ms|us|ns|MB|t\/t)$/
        ratio = show(per($3, $5), "%.2f")
        limit = per($3, $6)
        goal = verdict = "-"
        if (match(what, / *\(goal ([0-9.]+x|[<>][0-9.]+)\)/)) {
            goal = substr(what, RSTART, RLENGTH)
            what = substr(what, 1, RSTART - 1) substr(what, RSTART + RLENGTH)
            gsub(/[^0-9.<>x]/, "", goal)
            kind = goal ~ /</ ? "<" : goal ~ />/ ? ">" : "x"
            aim = goal; gsub(/[<>x]/, "", aim)
            have = kind == "x" ? ratio : $3
            if (have == "-" || have == "") verdict = "skip"
            else verdict = (kind == "<" ? have + 0 < aim + 0 : have + 0 >= aim + 0) ? "ok" : "MISS"
        }
        printf "%-46s %-10s %9s %-16s %9s %7s %5s %9s %6s %6s %6s %s\n", what, $2, show($3), show($4), show($5),
            ratio, goal, show($6), limit == "" ? "-" : sprintf("%.0f", 100 * limit), show($7, "%.0f"), show($8, "%.0f"), verdict
    }'
done
exit $bad
