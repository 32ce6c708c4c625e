#!/bin/sh
# readme.sh README: renews the table of tools between its two markers from the manual pages: name and purpose
# from NAME, the stage from a comment of the page:  .\" stage: data
set -eu
table=$(mktemp)
trap 'rm -f "$table" "$table.md"' EXIT
for stage in stream data vocabulary training generation evaluation; do
    grep -lx "\.\\\\\" stage: $stage" man/*.1 | sort | while read -r page; do
        awk -v stage="$stage" '
            /^\.Nm / && !name { name = $2 }
            /^\.Nd / { sub(/^\.Nd /, ""); gsub(/\|/, "\\|"); printf "| %s | `%s` | %s |\n", stage, name, $0; exit }' "$page"
    done
done | awk -F'|' '{ if ($2 == last) sub(/^\|[^|]*\|/, "| |"); else last = $2; print }' >"$table"
[ -s "$table" ] || { echo 'readme: no page names a stage' >&2; exit 1; }
awk -v table="$table" '
    /^<!-- tools/ { print; print "| stage | tool | what it does |"; print "|---|---|---|"
        while ((getline line <table) > 0) print line
        skip = 1; found = 1 }
    /^<!-- \/tools/ { skip = 0 }
    !skip || /^<!-- \/tools/ { if (!/^<!-- tools/) print }
    END { exit !found }' "$1" >"$table.md" || { echo "readme: no <!-- tools --> in $1" >&2; exit 1; }
cmp -s "$table.md" "$1" || cat "$table.md" >"$1"
