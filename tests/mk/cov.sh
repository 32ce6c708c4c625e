#!/bin/sh
# cov.sh BUILD: line coverage of each room from the counters the tests left in BUILD.
set -eu
cd "$1"
find . -name '*.gcda' | sort | while read -r f; do
    gcov -n -s "$OLDPWD" "$f" 2>/dev/null
done | awk -F"'" -v q="'" '
    /^File/ { file = $2 }
    /^Lines executed:/ && file ~ /^(\.\/)?(lib|bin|kernels)\// {
        split($0, a, /[:% ]+/)                      # Lines executed P of N
        room = file; sub(/^\.\//, "", room); sub(/\/[^\/]*$/, "", room)
        if (!(file in seen) || a[3] * a[5] > seen[file]) {
            hit[room] += a[3] * a[5] / 100 - seen[file] / 100; all[room] += (file in seen) ? 0 : a[5]
            seen[file] = a[3] * a[5]
        }
    }
    END {
        for (r in all) { printf "%-24s %6d lines %5.1f %%\n", r, all[r], 100 * hit[r] / all[r]; h += hit[r]; n += all[r] }
        if (n) printf "%-24s %6d lines %5.1f %%\n", "~all", n, 100 * h / n
    }' | sort | sed 's/^~all/all /'
