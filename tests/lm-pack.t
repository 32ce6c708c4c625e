#!/bin/sh
# lm-pack lays tokens into rows of one length and tells which documents they are.
. "${0%/*}/t.sh"
v=0123456789abcdef0123456789abcdef
a=00000000000000000000000000000aaa b=00000000000000000000000000000bbb
stream "@tok dt=u16 shape=5 vocab=$v id=$a bytes=7" 'a1a2a3a4a5' "@tok dt=u16 shape=2 vocab=$v id=$b bytes=4" 'b1b2' \
    "@tok dt=u16 shape=0 vocab=$v" '' "@tok dt=u16 shape=4 vocab=$v" 'c1c2c3c4' >in.lm
tokens() { LC_ALL=C awk -v n="$1" '/^@tok/ { getline; print substr($0, 1, n) }'; }

is 'concat cuts one run of all tokens' 'lm-pack -q --mode concat --seq 4 in.lm | tokens 8' 'a1a2a3a4
a5b1b2c1
c2c3c4c4'
is 'the last row can be left out' 'lm-pack --mode concat --drop-tail --seq 4 in.lm | tokens 8' 'a1a2a3a4
a5b1b2c1'
is 'none begins a row with each document' 'lm-pack -q --mode none --seq 4 --pad-id 25186 in.lm | tokens 8' 'a1a2a3a4
a5bbbbbb
b1b2bbbb
c1c2c3c4'
is 'none without tails leaves full rows' 'lm-pack --mode none --drop-tail --seq 4 in.lm | tokens 8' 'a1a2a3a4
c1c2c3c4'
is 'a row tells its shape and the bytes of what begins in it' \
    "lm-pack -q --mode concat --seq 4 in.lm | heads | sed -n 2p" \
    "@tok 96 dt=u16 shape=4 vocab=$v seq=4 mode=concat with=seg:u32:3,ids:u8:3x16,from:u64:3 bytes=4"
is 'padding has weight 0' 'lm-pack -q --mode concat --seq 4 in.lm | heads | tail -n 1' \
    "@tok 72 dt=u16 shape=4 vocab=$v seq=4 mode=concat with=weight:u8:4,seg:u32:2,ids:u8:2x16,from:u64:2"
# the arrays of row 2: ends 1 3 4; from 4 0 0
is 'segments, documents and starts are right' \
    "lm-pack -q --mode concat --seq 4 in.lm >p.lm; tail -c +\$((\$(grep -abo 'bytes=4' p.lm | cut -d: -f1) + 1)) p.lm |
        sed 1d | head -c 96 | od -An -v -tx1 -w8 | tr -d ' '" '6135623162326331
0100000003000000
0400000000000000
0000000000000000
0000000000000aaa
0000000000000000
0000000000000bbb
6881c9bcc44fa5a6
114b0b1c19da78d2
0400000000000000
0000000000000000
0000000000000000'
lm-pack -q --mode concat --seq 4 in.lm >once.lm
lm-pack -q --mode concat --seq 3 in.lm >three.lm
is 'rows are taken apart and packed anew, padding left out' 'lm-pack -q --mode concat --seq 3 once.lm | tokens 6' "$(tokens 6 <three.lm)"
stream "@tok dt=u16 shape=2 vocab=$v with=weight:u8:2" "$(printf 'a1a2\001\001\001\001\001\002' | tr '\001' '\001')" >w.lm
run 'weights are carried' 0 'lm-pack --mode concat --seq 2 w.lm | heads | grep weight:u8:2'
stream "@tok dt=u16 shape=1 vocab=$v" 'aa' "@tok dt=u16 shape=1 vocab=1${v#0}" 'aa' >mixed.lm
fails 'two vocabularies are refused' 3 'lm-pack --mode concat --seq 2 mixed.lm' 'mismatch: vocab='
# tokens that see each other: each row tells how many lead each of its segments; - is a row without
lens() { LC_ALL=C grep -ab '^@tok' "$1" | while IFS=: read -r at head; do
    k=$(expr "$head" : '.*prefix:u32:\([0-9]*\)') || { echo -; continue; }
    tail -c +$((at + ${#head} + 2)) "$1" | head -c "$(expr "$head" : '@tok \([0-9]*\)')" | tail -c $((4 * k)) | od -An -v -tu4 | tr -d '\n' | sed 's/^  *//; s/  */ /g'; echo
done; }
stream "@tok dt=u16 shape=5 vocab=$v id=$a prefix=5" 'a1a2a3a4a5' "@tok dt=u16 shape=2 vocab=$v id=$b" 'b1b2' \
    "@tok dt=u16 shape=7 vocab=$v prefix=2" 'c1c2c3c4c5c6c7' >prefix.lm
is 'concat cuts a prefix as it cuts the document' 'lm-pack -q --mode concat --seq 4 prefix.lm >p.lm; lens p.lm' '4
1 0 1
1
-'
is 'the attribute becomes an array of the row' "heads p.lm | sed -n '2s/.*mode/mode/p'" \
    'mode=concat with=seg:u32:3,ids:u8:3x16,from:u64:3,prefix:u32:3'
is 'none cuts it likewise' 'lm-pack -q --mode none --seq 4 prefix.lm >p.lm; lens p.lm' '4
1 0
-
2
-'
is 'bestfit cuts it likewise' 'lm-pack -q --mode bestfit --seq 4 prefix.lm >p.lm; lens p.lm' '4
1 0
-
2'
is 'rows taken apart keep what they have of it' 'lm-pack -q --seq 4 p.lm | lm-pack -q --mode concat --seq 3 >q.lm; lens q.lm' '3
1 1 0
-
0 2
-'
lm-pack -q --mode none --seq 2 prefix.lm >twos.lm
is 'cut anew a cut prefix is cut' 'lm-pack -q --mode concat --seq 3 twos.lm >q.lm; lens q.lm' '2 1
1 1 0
0 2
-
-'
stream "@tok dt=u16 shape=2 vocab=$v prefix=3" 'aaaa' >long.lm
fails 'a prefix longer than its document is refused' 3 'lm-pack --mode concat --seq 2 long.lm' 'invalid: prefix=3 of 2 tokens'
sed 's/ mode=/ prefix=1 mode=/' twos.lm >row.lm
fails 'a row has it in an array alone' 3 'lm-pack --mode concat --seq 2 row.lm' 'prefix=1 of a row'
odd() { printf '%%lm 1\n@tok %d dt=u16 shape=2 vocab=%s with=seg:u32:1,ids:u8:1x16,prefix:u32:%d\naaaa\0\0\0\0\2\0\0\0\0\0\0\0ABCDEFGHIJKLMNOP%b\n%%end n=1 b=%d\n' "$1" $v "$2" "$3" "$1"; }
odd 36 1 '\02\00\00\00' >odd.lm
is '.. of a number for each segment' 'lm-pack --mode concat --seq 2 odd.lm >q.lm; lens q.lm' 2
odd 36 1 '\03\00\00\00' >odd.lm
fails '.. that is not beyond its end' 3 'lm-pack --mode concat --seq 2 odd.lm' 'invalid: prefix: 3 of the 2 tokens of segment 0'
odd 40 2 '\01\00\00\00\00\00\00\00' >odd.lm
fails '.. and no more numbers' 3 'lm-pack --mode concat --seq 2 odd.lm' 'invalid: prefix: not one for each'
stream "@tok dt=u16 shape=3 vocab=$v" 'aaaa' >short.lm
fails 'a shape beyond the body is refused' 3 'lm-pack --mode concat --seq 2 short.lm' 'invalid'
stream "@tok dt=u16 shape=2" 'aaaa' >bare.lm
fails 'tokens without a vocabulary are refused' 3 'lm-pack --mode concat --seq 2 bare.lm' 'missing: tok without vocab='
fails 'much padding is warned of' 0 'lm-pack --mode concat --seq 4 in.lm' 'warning: .*padding'

# best fit: documents of 4, 3, 2, 2, 1 and 9 tokens in rows of 4
stream "@tok dt=u16 shape=2 vocab=$v id=$a bytes=7" 'a1a2' "@tok dt=u16 shape=3 vocab=$v id=$b bytes=5" 'b1b2b3' \
    "@tok dt=u16 shape=9 vocab=$v bytes=9" 'c1c2c3c4c5c6c7c8c9' "@tok dt=u16 shape=1 vocab=$v" 'd1' \
    "@tok dt=u16 shape=2 vocab=$v" 'e1e2' "@tok dt=u16 shape=4 vocab=$v" 'f1f2f3f4' >fit.lm
is 'bestfit cuts no document that fits, in the order of the first of each row' 'lm-pack -q --seq 4 fit.lm | tokens 8' 'a1a2e1e2
b1b2b3c9
c1c2c3c4
c5c6c7c8
d1d1d1d1
f1f2f3f4'
is '.. says so, and counts bytes once' 'lm-pack -q --seq 4 fit.lm | lm-ls -k mode,bytes | tr "\t" " "' 'bestfit 7
bestfit 5
bestfit 9
bestfit -
bestfit -
bestfit -'
is 'a window of one document packs none with another' 'lm-pack -q --window 1 --seq 4 fit.lm | lm-ls | wc -l' 8
is 'rows packed by best fit are taken apart and packed anew' 'lm-pack -q --seq 4 fit.lm | lm-pack -q --seq 9 --mode concat | tokens 18 | tr -d "\n" | fold -w 2 | sort -u | tr -d "\n"' \
    'a1a2b1b2b3c1c2c3c4c5c6c7c8c9d1e1e2f1f2f3f4'
stream "@tok dt=u16 shape=1 vocab=$v with=weight:u8:1" "$(printf 'aa\001\001\001\001\001\001\002' | tr '\001' 'x')" "@tok dt=u16 shape=1 vocab=$v" bb >w1.lm
like 'weights go with their tokens' 'lm-pack --seq 2 w1.lm | heads' 'weight:u8:2'
fails 'every row of bestfit may be a tail' 2 'lm-pack --drop-tail fit.lm' '--drop-tail goes with --mode concat and none'
like 'rows and padding are told beside those of concat' 'lm-pack -v --seq 4 fit.lm 2>&1 >/dev/null' '6 rows, 12.5 % padding; concat: 6 rows'
# many documents of any size: nothing lost, nothing twice, and the windows of little memory
awk 'BEGIN { srand(3); for (i = 0; i < 3000; i++) { n = int(exp(rand() * 7)); s = sprintf("document %d ", i); for (k = 0; k < n; k++) s = s sprintf("w%d ", int(rand() * 50)); f = sprintf("m%04d", i); print s > f; close(f) } }'
lm-import m???? >many.lm; rm m????
lm-bpe-train -q -o tok --vocab-size 400 --reserve 8 --pad-to 1 --allow-short many.lm
lm-tok --vocab tok many.lm >many.tok
whole() { lm-pack -q "$@" many.tok | lm-pack -q --seq 1000000 --mode concat | lm-detok --vocab tok --text | tr '\n' '\0' | tr '\0' '\n' | sort >have; }
lm-detok --vocab tok --text many.tok | sort >want
for w in 16M 100 7; do
    run "nothing is lost or doubled: windows of $w" 0 "whole --seq 4096 --window $w; cmp have want"
done
run '.. of 1 MiB' 0 'whole --seq 4096 -m 1M; cmp have want'
case $CONF in release) run 'memory is that of -m' 0 'for i in 1 2 3 4 5 6 7 8; do cat many.tok; done >8.tok; m=$("$ROOT/build/$CONF/tests/probe" rss lm-pack -q -m 1M 8.tok); test "$m" -lt $((16 << 10))' ;; esac # a sanitizer has its own
done_testing
