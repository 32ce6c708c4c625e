#!/bin/sh
# pipe.sh: what the stream itself costs: a filter that changes nothing against cat in its place, listing headers
# against mawk, and what a header costs the reader against the limit of 30 ns. Wall time, runs interleaved.
set -u
. "${0%/*}/code.inc"
for _ in 1 2 3 4; do cat "$t/code.lm"; done >"$t/large.lm"
large=$(wc -c <"$t/large.lm")
seconds() { s=$(date +%s%N); eval "$1" >/dev/null || exit 1; echo $(($(date +%s%N) - s)); }
# pair CMD CMD: the best of nine runs of each, in nanoseconds
pair()
{
    for _ in 1 2 3 4 5 6 7 8 9; do echo "$(seconds "$1") $(seconds "$2")"; done >"$t/times"
    echo "$(cut -d' ' -f1 "$t/times" | sort -n | head -n 1) $(cut -d' ' -f2 "$t/times" | sort -n | head -n 1)"
}
gbs() { awk "BEGIN { printf \"%.2f\", $large / $1 }"; }
read -r ours theirs <<E
$(pair "cat $t/large.lm | lm-cat | cat" "cat $t/large.lm | cat | cat")
E
printf 'a hop through a pipe (goal 0.8x)\tGB/s\t%s\tcat\t%s\n' "$(gbs "$ours")" "$(gbs "$theirs")"

awk 'BEGIN { print "%lm 1"; for (i = 0; i < 1000000; i++) printf "@doc 100 path=src/dir/%d.c lang=c\n%0100d\n", i, i; print "%end n=1000000 b=100000000" }' >"$t/small.lm"
cat >"$t/list.awk" <<'E'
n>0{n-=length($0)+1;next} /^[@%]/{if(/^@/)n=$2+1;print}
E
peer='mawk'
command -v mawk >/dev/null || peer='awk'
read -r ours theirs <<E
$(pair "lm-ls $t/small.lm" "$peer -f $t/list.awk $t/small.lm")
E
m() { awk "BEGIN { printf \"%.2f\", 1e9 / $1 }"; }
printf 'listing headers\tMrec/s\t%s\t%s\t%s\n' "$(m "$ours")" "$peer" "$(m "$theirs")"
read -r ours theirs <<E
$(pair "lm-cat $t/small.lm" "cat $t/small.lm")
E
printf 'records of 100 bytes through lm-cat\tMrec/s\t%s\tcat\t%s\n' "$(m "$ours")" "$(m "$theirs")"
# What a header costs: reading small records less reading the same bytes as large ones, by the library's reader.
awk 'BEGIN { print "%lm 1"; for (i = 0; i < 992; i++) printf "@doc 140000 path=a\n%0140000d\n", i; print "%end n=992 b=138880000" }' >"$t/few.lm"
hop=$ROOT/build/${CONF:-release}/peer/hop
least() { for _ in 1 2 3 4 5 6 7 8 9; do "$hop" "$1"; done | cut -d' ' -f2 | sort -n | head -n 1; }
small=$(least "$t/small.lm") few=$(least "$t/few.lm")
printf 'headers a reader passes (goal 1x)\tMrec/s\t%s\tlimit of 30 ns\t33.3\n' "$(m $((small - few)))"
