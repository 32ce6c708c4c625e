#!/bin/sh
# lm-shard lays tokens down where training maps them.
. "${0%/*}/t.sh"
v=0123456789abcdef0123456789abcdef
stream "@tok dt=u16 shape=5 vocab=$v id=00000000000000000000000000000aaa bytes=7" 'a1a2a3a4a5' \
    "@tok dt=u16 shape=2 vocab=$v id=00000000000000000000000000000bbb bytes=4" 'b1b2' >in.lm

run 'shards are written' 0 'lm-shard -o d in.lm'
is 'a folder of a shard and an index' 'ls d' '00000.lm
index.lm'
is 'the shard is a stream of four records' 'heads d/00000.lm | sed "s/ *$//"' "@shard 0 vocab=$v dt=u16 tokens=7 docs=2 seq=0 mode=none bytes=11 hash=95af714d65b64b67d8dddc661357175a
@tok 14 dt=u16 shape=7 vocab=$v
@ends 28 dt=u64 shape=2 of=tok with=crc:u32:1,sum:u32:1
@ids 52 dt=u8 shape=2,16 of=tok with=from:u64:2,sum:u32:1"
is 'tokens begin at a multiple of 64' 'at=$(grep -abo a1a2a3a4a5b1b2 d/00000.lm | cut -d: -f1); echo $((at % 64))' 0
run 'or of 4096' 0 'lm-shard --align 4096 -o e in.lm'
is 'as asked' 'at=$(grep -abo a1a2a3a4a5b1b2 e/00000.lm | cut -d: -f1); echo $((at % 4096))' 0
run 'lm-check finds the shard whole' 0 'lm-check d/00000.lm d/index.lm'
i=0
{
    printf '%%lm 1\n'
    while [ $i -lt 300 ]; do
        printf '@tok 40 dt=u16 shape=20 vocab=%s id=%032x\n%040d\n' $v $i $i
        i=$((i + 1))
    done
    printf '%%end n=300 b=12000\n'
} >many.lm
run 'a full shard is followed by the next' 0 'lm-shard --size 4K -o many many.lm'
is 'each no larger than asked' 'heads many/index.lm | sed "s/.*file=\([^ ]*\).*tokens=\([0-9]*\).*/\1 \2/"' '00000.lm 2040
00001.lm 2040
00002.lm 1920'
{ head -n 1 many.lm; sed '1d;$d' many.lm | paste - - | sort -k5,5r | tr '\t' '\n'; tail -n 1 many.lm; } >turned.lm
run 'by hash' 0 'lm-shard --by-hash -s 3 -o h1 many.lm && lm-shard --by-hash -s 3 -o h2 turned.lm'
bytes 'the order of the input does not matter' h1/00000.lm h2/00000.lm
run 'another seed is another order' 1 'lm-shard --by-hash -s 4 -o h3 many.lm; cmp -s h1/00000.lm h3/00000.lm'
stream "@tok dt=u16 shape=1 vocab=$v" 'aa' "@tok dt=u16 shape=1 vocab=1${v#0}" 'aa' >mixed.lm
fails 'two vocabularies are refused' 3 'lm-shard -o m mixed.lm' 'mixed.lm:1:[0-9]*: mismatch: vocab='
is 'and nothing is left' 'ls -d m*' 'many
many.lm
mixed.lm'
stream path=a 'int main(void) { return 0; }
' >docs.lm
lm-bpe-train --vocab-size 320 --reserve 32 --allow-short -o vocab docs.lm
lm-tok --vocab vocab docs.lm >toks.lm
run 'tokens of the vocabulary named pass' 0 'lm-shard --vocab vocab -o v toks.lm'
like 'and tell the bytes of their text' 'heads v/index.lm' 'bytes=29 '
fails 'others do not' 3 'lm-shard --vocab vocab -o m in.lm' 'mismatch: vocab=.*but the vocabulary given is'
h=$(heads toks.lm | sed 's/.*vocab=\([0-9a-f]*\).*/\1/')
stream "@tok dt=u16 shape=1 vocab=$h" 'zz' >over.lm
fails 'nor do ids beyond it' 3 'lm-shard --vocab vocab -o m over.lm' 'invalid: token 0 is id 31354, beyond the'
lm-pack -q --mode concat --seq 4 in.lm >rows.lm
{ sed '$d' rows.lm; sed '1d;$d' in.lm; printf '%%end n=4 b=%d\n' $(($(tail -n 1 rows.lm | sed 's/.*b=//') + 14)); } >both.lm
fails 'rows and loose documents do not mix' 3 'lm-shard -o m both.lm' 'mismatch: seq='
run 'rows make shards of rows' 0 'lm-shard -o r rows.lm && heads r/00000.lm | grep "seq=4 mode=concat"'
stream "@tok dt=u16 shape=3 vocab=$v" 'c1c2c3' "@tok dt=u16 shape=5 vocab=$v prefix=4" 'a1a2a3a4a5' "@tok dt=u16 shape=2 vocab=$v" 'b1b2' >prefix.lm
lens() { tail -c +$(($(LC_ALL=C grep -ab '^@prefix' "$1/00000.lm" | cut -d: -f1) + 1)) "$1/00000.lm" | sed 1d | head -c "$2" | od -An -v -tu4 | tr -s ' '; }
is 'how many tokens of each document see each other is kept' 'lm-shard -o p prefix.lm; heads p/00000.lm | grep @prefix; lens p 12' '@prefix 20 dt=u32 shape=3 of=tok with=sum:u32:1
 0 4 0'
is '.. also of rows' 'lm-pack -q --mode concat --seq 5 prefix.lm | lm-shard -o q && heads q/00000.lm | grep @prefix; lens q 16' '@prefix 20 dt=u32 shape=4 of=tok with=sum:u32:1
 0 2 2 0'
run '.. in a shard that is whole' 0 'lm-check p/00000.lm q/00000.lm'
stream "@tok dt=u16 shape=3 vocab=$v prefix=0" 'c1c2c3' >none.lm
is '.. where there is one' 'lm-shard -o n none.lm && heads n/00000.lm | grep -c @prefix' 0
fails '-o is needed' 2 'lm-shard in.lm' '-o DIR is needed'
fails 'a full disk leaves nothing' 5 'ulimit -f 1; trap "" XFSZ; lm-shard -o full many.lm' 'io: '
is 'nothing at all' 'ls -d full* 2>/dev/null' ''
done_testing
