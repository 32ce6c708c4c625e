#!/bin/sh
# lm-cat joins, compresses and decompresses.
. "${0%/*}/t.sh"
stream path=a 'one' path=b 'two' >a.lm
stream path=c 'three' >b.lm

is 'two files become one stream' 'lm-cat a.lm b.lm' "$(stream path=a one path=b two path=c three)"
is 'so do two streams in one file' 'cat a.lm b.lm | lm-cat' "$(stream path=a one path=b two path=c three)"
is 'provenance is united, each line once' \
    "printf '%%lm 1\n%%by tool=x ver=1\n%%end n=0 b=0\n' >p.lm; LM_PROV=1 lm-cat p.lm p.lm | grep -c tool=x" 1
yes 'int main(void) { return 0; }' | head -c 300000 >big.txt
i=0; while [ $i -lt 10 ]; do i=$((i + 1)); lm-import - <big.txt; done >many.lm
lm-cat many.lm >m.lm
for z in gz zst; do
    run "-o X.$z compresses" 0 "lm-cat --frame 1M -o x.lm.$z many.lm"
    is "X.$z holds the records" "lm-cat x.lm.$z | grep -av ^%seg | cmp - m.lm" ''
    is "frames of X.$z end in %seg" "lm-cat x.lm.$z | grep -ac ^%seg" 3
    is "X.$z is small, and the same at any time" \
        "lm-cat --frame 1M -o y.lm.$z many.lm; cmp x.lm.$z y.lm.$z; [ \$(wc -c <x.lm.$z) -lt 30000 ] && echo small" small
    head -c $(($(wc -c <x.lm.$z) - 9)) x.lm.$z >cut.lm.$z
    run "a cut X.$z is told" 3 "lm-cat cut.lm.$z"
done 2>/dev/null
zstd -qc a.lm >1.zst; zstd -qc b.lm >2.zst
is 'frames one after the other are read on' 'cat 1.zst 2.zst | lm-cat | tail -n 1' '%end n=3 b=11'
is '--lax reads a fragment without head and end' 'sed -n 2,3p a.lm | lm-cat --lax -q' "$(stream path=a one)"
is '--lax goes past a damaged record' "{ sed 's/^@doc 3 path=b/@doc 4 path=b/' a.lm; cat b.lm; } | lm-cat --lax -q" "$(stream path=a one path=c three)"
done_testing
