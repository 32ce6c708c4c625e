#!/bin/sh
# The rooms of lib include downward only, only lib/cli prints or ends the process, kernels need no libm.
. "${0%/*}/t.sh"
cd "$ROOT" || exit 1

# none NAME CMD: CMD prints nothing
none() { is "$1" "$2" ''; }
# code FILE ..: FILE:LINE: text, comments and string literals blanked
code()
{
    for f; do
        [ ! -f "$f" ] || awk -v f="$f" '{
            s = $0
            gsub(/"([^"\\]|\\.)*"/, "\"\"", s)
            gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, "", s)
            if (in_c) { if (sub(/^([^*]|\*[^\/])*\*\//, "", s)) in_c = 0; else s = "" }
            if (sub(/\/\*.*$/, "", s)) in_c = 1
            sub(/\/\/.*$/, "", s)
            if (s ~ /[^ \t]/) print f ":" NR ": " s
        }' "$f"
    done
}
# includes DIR ERE: quoted includes of the files in DIR that do not match ERE
includes() { grep -HnE '^#[ ]*include "' "$1"/*.[ch] 2>/dev/null | grep -vE "include \"($2)"; }

below=base
none 'base includes only base' 'includes lib/base "base/|[a-z0-9_-]*\.h\""'
for room in stream cli par text nn; do
    case $room in nn) below="$below|net" ;; esac
    none "$room includes only what lies below" \
        "includes lib/$room \"($below|$room)/|[a-z0-9_-]*\.h\\\"|kernels/[a-z]*\.h\""
    below="$below|$room"
done
none 'only text and nn reach kernels' \
    'grep -lE "include \"kernels/" lib/base/*.[ch] lib/stream/*.[ch] lib/cli/*.[ch] lib/par/*.[ch] 2>/dev/null'
none 'text does not know nn' 'grep -nE "include \"nn/" lib/text/*.[ch]'
none 'kernels see their own headers and base' \
    'find kernels -name "*.[ch]" | xargs grep -HnE "^#[ ]*include \"" /dev/null | grep -vE "include \"(kernels/|base/|[a-z0-9_/.-]*kern[a-z0-9_-]*\.(h|inc)|[a-z0-9_-]*\.h)"'
none 'tools include lm.h and system headers alone' \
    'grep -nE "^#[ ]*include \"" bin/*.c | grep -v "include \"lm.h\""'
none 'only cli prints' \
    'code lib/base/*.[ch] lib/stream/*.[ch] lib/par/*.[ch] lib/text/*.[ch] lib/nn/*.[ch] kernels/*.[ch] kernels/*/*.[ch] kernels/*/*/*.[ch] | grep -E "[^a-z_](printf|puts|putchar|perror|vprintf)\(|fprintf\((stderr|stdout)|[^a-z_](stderr|stdout)[^a-z_]"'
none 'only cli ends the process' \
    'code lib/base/*.[ch] lib/stream/*.[ch] lib/par/*.[ch] lib/text/*.[ch] lib/nn/*.[ch] kernels/*.[ch] kernels/*/*.[ch] kernels/*/*/*.[ch] | grep -E "[^a-z_](exit|quick_exit|abort)\(" | grep -vE "^lib/(base/mem|text/bpe).c:.*abort\(\)"'
none 'numbers go through one parser' \
    'code bin/*.c lib/[!b]*/*.[ch] | grep -E "[^a-z_](atoi|atol|atoll|atof|strtol|strtoul|strtoll|strtoull|strtof|sscanf|scanf)\("'
none 'unsafe calls are absent' 'code bin/*.c lib/*/*.[ch] kernels/*.[ch] kernels/*/*.[ch] | grep -E "[^a-z_](gets|strcpy|strcat|sprintf|vsprintf|alloca|system|mktemp|tmpnam)\("'
none 'kernels call no libm' \
    'code kernels/*.[ch] kernels/*/*.[ch] kernels/*/*/*.[ch] | grep -E "[^a-z_](expf?|logf?|log2f?|log1pf?|powf?|tanhf?|sinf?|cosf?|sincosf?|erff?|expm1f?|cbrtf?)\("'
none 'files of code have at most 500 lines' \
    'find bin lib kernels tests -name "*.[ch]" | while read -r f; do [ "$(wc -l <"$f")" -le 500 ] || echo "$f"; done'
none 'every tool has its manual page and its test' \
    'for f in bin/*.c; do n=${f#bin/} n=${n%.c}; [ -f "$f" ] || continue; [ -f man/$n.1 ] || echo "man/$n.1"; [ -f tests/$n.t ] || echo "tests/$n.t"; done'
none 'every manual page and test of a tool has its tool' \
    'for f in man/*.1 tests/lm-*.t; do [ -f "$f" ] || continue; n=${f##*/} n=${n%.*}; [ -f bin/$n.c ] || echo "$f"; done'
done_testing
