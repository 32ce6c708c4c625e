#!/bin/sh
# lm-head passes the first records and leaves; an index makes it jump.
. "${0%/*}/t.sh"
seq 1 300 | awk 'BEGIN { print "%lm 1" } { printf "@doc %d n=%d\n%s\n", length($1), $1, $1; b += length($1) }
    $1 == 150 { print "%# half" } END { printf "%%end n=300 b=%d\n", b }' >in.lm

is 'ten records without an option' 'lm-head in.lm | lm-ls | wc -l' 10
is '-n sets how many' 'lm-head -n 2 in.lm | lm-ls -k n' '1
2'
is '-n 0 is an empty stream' 'lm-head -n 0 in.lm' '%lm 1
%end n=0 b=0'
is '--skip leaves out' 'lm-head -n 2 --skip 99 in.lm | lm-ls -k n' '100
101'
is '--skip past the end leaves nothing' 'lm-head --skip 1000 in.lm | tail -n 1' '%end n=0 b=0'
is '--bytes counts bodies' 'lm-head --bytes 12 in.lm | lm-ls -k n | tail -n 1' 10
is 'it stops reading: damage behind is not met' '{ head -n 41 in.lm; echo junk; } | lm-head -n 20 | tail -n 1' '%end n=20 b=31'
is 'what is upstream ends by SIGPIPE' '{ yes | sed "s/.*/@doc 0/;1s/^/%lm 1\n/;s/$/\n/"; } 2>/dev/null | lm-head -n 3 | tail -n 1' '%end n=3 b=0'
lm-cat --frame 4096 -o z.lm.zst in.lm
lm-cat --frame 4096 -o z.lm.gz in.lm
for f in in.lm z.lm.zst z.lm.gz; do
    for k in 1 63 64 65 128 150 151 299 300; do lm-head -n 3 --skip $k $f >plain.$k; done
    lm-index $f
    for k in 1 63 64 65 128 150 151 299 300; do
        lm-head -n 3 --skip $k $f >jumped
        cmp jumped plain.$k
    done >differ 2>&1
    is "with an index of $f the bytes are the same" 'cat differ' ''
done
head -c 300 in.lm | tail -c 200 | tr @ X | dd of=in.lm bs=1 seek=100 conv=notrunc 2>/dev/null
is 'a jump does not read what it jumps over' 'lm-head -n 1 --skip 200 in.lm | lm-ls -k n' 201
echo >>in.lm
fails 'a stale index is not used' 3 'lm-head -n 1 --skip 200 in.lm' corrupt
lm-cat z.lm.zst | sed '$d' >cut.lm
sed 's/^%lmi.*/%lmi 1 size='"$(wc -c <cut.lm)"' n=300/' in.lm.lmi >cut.lm.lmi
fails 'behind a jump a cut is seen' 3 'lm-head --skip 290 -n 100 cut.lm' truncated
done_testing
