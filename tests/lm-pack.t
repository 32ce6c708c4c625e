#!/bin/sh
# lm-pack lays tokens into rows of one length and tells which documents they are.
. "${0%/*}/t.sh"
v=0123456789abcdef0123456789abcdef
a=00000000000000000000000000000aaa b=00000000000000000000000000000bbb
stream "@tok dt=u16 shape=5 vocab=$v id=$a bytes=7" 'a1a2a3a4a5' "@tok dt=u16 shape=2 vocab=$v id=$b bytes=4" 'b1b2' \
    "@tok dt=u16 shape=0 vocab=$v" '' "@tok dt=u16 shape=4 vocab=$v" 'c1c2c3c4' >in.lm
tokens() { LC_ALL=C awk -v n="$1" '/^@tok/ { getline; print substr($0, 1, n) }'; }

is 'concat cuts one run of all tokens' 'lm-pack -q --seq 4 in.lm | tokens 8' 'a1a2a3a4
a5b1b2c1
c2c3c4c4'
is 'the last row can be left out' 'lm-pack --drop-tail --seq 4 in.lm | tokens 8' 'a1a2a3a4
a5b1b2c1'
is 'none begins a row with each document' 'lm-pack -q --mode none --seq 4 --pad-id 25186 in.lm | tokens 8' 'a1a2a3a4
a5bbbbbb
b1b2bbbb
c1c2c3c4'
is 'none without tails leaves full rows' 'lm-pack --mode none --drop-tail --seq 4 in.lm | tokens 8' 'a1a2a3a4
c1c2c3c4'
is 'a row tells its shape and the bytes of what begins in it' \
    "lm-pack -q --seq 4 in.lm | heads | sed -n 2p" \
    "@tok 96 dt=u16 shape=4 vocab=$v seq=4 mode=concat bytes=4 with=seg:u32:3,ids:u8:3x16,from:u64:3"
is 'padding has weight 0' 'lm-pack -q --seq 4 in.lm | heads | tail -n 1' \
    "@tok 72 dt=u16 shape=4 vocab=$v seq=4 mode=concat with=weight:u8:4,seg:u32:2,ids:u8:2x16,from:u64:2"
# the arrays of row 2: ends 1 3 4; from 4 0 0
is 'segments, documents and starts are right' \
    "lm-pack -q --seq 4 in.lm >p.lm; tail -c +\$((\$(grep -abo 'bytes=4' p.lm | cut -d: -f1) + 1)) p.lm |
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
lm-pack -q --seq 4 in.lm >once.lm
lm-pack -q --seq 3 in.lm >three.lm
is 'rows are taken apart and packed anew, padding left out' 'lm-pack -q --seq 3 once.lm | tokens 6' "$(tokens 6 <three.lm)"
stream "@tok dt=u16 shape=2 vocab=$v with=weight:u8:2" "$(printf 'a1a2\001\001\001\001\001\002' | tr '\001' '\001')" >w.lm
run 'weights are carried' 0 'lm-pack --seq 2 w.lm | heads | grep weight:u8:2'
stream "@tok dt=u16 shape=1 vocab=$v" 'aa' "@tok dt=u16 shape=1 vocab=1${v#0}" 'aa' >mixed.lm
fails 'two vocabularies are refused' 3 'lm-pack --seq 2 mixed.lm' 'mismatch: vocab='
stream "@tok dt=u16 shape=2 vocab=$v prefix=1" 'aaaa' >prefix.lm
fails 'a prefix is refused, not lost' 3 'lm-pack --seq 2 prefix.lm' 'invalid: prefix='
stream "@tok dt=u16 shape=3 vocab=$v" 'aaaa' >short.lm
fails 'a shape beyond the body is refused' 3 'lm-pack --seq 2 short.lm' 'invalid'
stream "@tok dt=u16 shape=2" 'aaaa' >bare.lm
fails 'tokens without a vocabulary are refused' 3 'lm-pack --seq 2 bare.lm' 'missing: tok without vocab='
fails 'much padding is warned of' 0 'lm-pack --seq 4 in.lm' 'warning: .*padding'
done_testing
