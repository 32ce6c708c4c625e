#!/bin/sh
# lm-index writes the places of records; lm-head.t uses them.
. "${0%/*}/t.sh"
seq 1 200 | awk 'BEGIN { print "%lm 1" } { printf "@doc %d n=%d\n%s\n", length($1), $1, $1; b += length($1) } END { printf "%%end n=200 b=%d\n", b }' >in.lm
run 'an index is written beside the file' 0 'lm-index in.lm'
is 'head line, a row for each 64th record' 'head -n 1 in.lm.lmi; wc -l <in.lm.lmi' "%lmi 1 size=$(wc -c <in.lm) n=200
5"
is 'rows have 51 bytes' 'sed 1d in.lm.lmi | awk "length(\$0) != 50"' ''
is 'and lead to the records' "sed 1d in.lm.lmi | sed 's/^0*//;s/\t0*/ /g' | while read -r n o; do [ \"\$o\" ] || { o=\$n; n=0; }; tail -c +\$((o + 1)) in.lm | head -n 1; done" '@doc 1 n=1
@doc 2 n=65
@doc 3 n=129
@doc 3 n=193'
for z in gz zst; do
    lm-cat --frame 4096 -o z.lm.$z in.lm
    run "of a compressed file ($z)" 0 "lm-index z.lm.$z"
    frames=$(lm-cat z.lm.$z | grep -c ^%seg)
    is "each frame of $z has a row for its first record" \
        "sed 1d z.lm.$z.lmi | awk '{ print \$2 }' | uniq | wc -l" $((frames + 1))
done
head -c 900 in.lm >cut.lm
run 'a damaged file gets no index' 3 'lm-index cut.lm'
is 'nothing is left of it' 'ls | grep cut.lm.' ''
is '-o names the index' 'lm-index -o other in.lm; cmp other in.lm.lmi' ''
run '-o with two files is a usage error' 2 'lm-index -o other in.lm in.lm'
run 'so is stdin' 2 'lm-index - <in.lm'
done_testing
