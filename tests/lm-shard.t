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
# --- pieces of a corpus, by writers that know nothing of each other, and the folder of all
lm-pack -q --mode concat --seq 16 many.lm >packed.lm
third() { lm-head -q -n 100 --skip $((100 * $1)) "$2"; }
for i in 0 1 2; do
    third $i many.lm | lm-shard -q --size 4K --piece $i/3 -o p$i
    lm-head -q -n 128 --skip $((128 * i)) packed.lm | lm-shard -q --piece $i/3 -o r$i
done
is 'the files of a piece have its number' 'ls p1' '1-00000.lm
index.lm'
is '.. and their @shard tells which it is' 'for f in p1/*; do heads $f | grep -o "^@shard\|piece=.* "; done | sed "s/ .*//"' '@shard
piece=1/3
@shard
piece=1/3'
is '.. in as many digits as the last one has' 'third 0 many.lm | lm-shard -q --piece 7/11 -o p7; ls p7 | head -n 1' '07-00000.lm'
fails 'another piece does not take its folder' 5 'third 0 many.lm | lm-shard -q --piece 8/11 -o p7' 'holds 07-00000.lm, which would be lost'
fails 'nor do shards of no piece' 5 'third 0 many.lm | lm-shard -q -o p7' 'holds 07-00000.lm, which would be lost'
run '.. the same piece does' 0 'third 1 many.lm | lm-shard -q --piece 7/11 -o p7'
# of two that write to one folder at once, one has it and the other is told
third 1 many.lm >some.lm
bad=0
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
    rm -rf same
    lm-shard -q --piece 0/2 -o same some.lm 2>/dev/null &
    lm-shard -q --piece 1/2 -o same some.lm 2>/dev/null
    second=$?
    wait $!
    first=$?
    case $first$second in 05) has=0-00000.lm ;; 50) has=1-00000.lm ;; *) has=neither ;; esac
    [ "$(echo same*/*)" = "same/$has same/index.lm" ] || bad=$((bad + 1))
done
is 'nor does one that writes at the same time' 'echo $bad' 0
for bad in 3/3 1 /3 0/0 a/b 1/2/3 -1/2; do
    fails "--piece=$bad" 2 "lm-shard --piece=$bad -o x many.lm" '--piece wants I/N'
done
run 'the pieces make one folder' 0 'lm-shard --join -o all p2 p0 p1 && lm-shard --join -o rows r1 r2 r0'
is '.. of all their shards' 'ls all' '0-00000.lm
1-00000.lm
2-00000.lm
index.lm'
is '.. listed by piece and file' 'lm-ls -k piece,file,tokens all/index.lm | tr "\t" " "' '0/3 0-00000.lm 2000
1/3 1-00000.lm 2000
2/3 2-00000.lm 2000'
run '.. all whole' 0 'lm-check all/*.lm rows/*.lm'
run '.. which take no room' 0 'for i in 0 1 2; do [ p$i/$i-00000.lm -ef all/$i-00000.lm ] || exit 1; done'
run 'the order of the operands does not matter' 0 'lm-shard --join -o all2 p0 p1 p2 && cmp all/index.lm all2/index.lm'
run '.. nor that the folder was there' 0 'lm-shard --join -o all p1 p2 p0 && cmp all/index.lm all2/index.lm'
lm-shard -q --size 4K -o one packed.lm && lm-shard -q -o long packed.lm
run 'its rows are those of the pieces in one' 0 'lm-rows -s 5 rows >a && lm-rows -s 5 one | cmp - a && [ $(lm-ls a | wc -l) = 375 ]'
of_rows() { lm-rows "$@" | sed 's/ next[a-z-]*=[^ ]*//g'; } # but for what follows them, which is none at a shard's end
run '.. where the shards end elsewhere, too' 0 'of_rows -s 5 rows >a && of_rows -s 5 long | cmp - a'
run '.. and of the pieces one by one' 0 'lm-rows -s 5 r0 r1 r2 >a && lm-rows -s 5 rows | cmp - a'
run '.. also of documents' 0 'lm-rows --seq 30 p0 p1 p2 >a && lm-rows --seq 30 all | cmp - a'
run '.. and what they are of' 0 'lm-where --batch 8 p0 p1 p2 1-40 >a 2>&1; lm-where --batch 8 all 1-40 2>&1 | cmp - a && [ -s a ]'
run 'it is exported as the stream is' 0 'lm-export -q --to raw -o a many.lm && lm-export -q --to raw -o b all && cmp a b'
lm-tok --vocab vocab docs.lm docs.lm >t0.lm
lm-init --layers 1 --dim 16 --heads 1 --kv-heads 1 --ffn 16 --seq 8 --vocab vocab -o model
for i in 0 1; do lm-shard -q --piece $i/2 -o t$i t0.lm; done
like 'it is trained on' 'lm-shard --join -o t t1 t0 && lm-train -q -m model --seq 8 --batch-tokens 16 --micro 2 --steps 2 --warmup 1 -o run t && lm-ls -k step run/metrics.lm' '^2$'
run 'pieces may be joined where one of them was' 0 'cp -r t0 u0 && lm-shard --join -o u0 u0 t1 && cmp u0/index.lm t/index.lm && [ -s u0/1-00000.lm ]'
printf '%%lm 1\n%%end n=0 b=0\n' >nothing.lm
run 'a piece may be empty' 0 'lm-shard --piece 1/3 -o e1 nothing.lm && lm-shard --join -o gap p0 e1 p2 && lm-check e1/index.lm gap/index.lm && lm-rows --seq 30 p0 p2 >a && lm-rows --seq 30 gap | cmp - a'
is '.. and its record stays' 'lm-ls -k piece,tokens gap/index.lm | tr "\t" " "' '0/3 2000
1/3 0
2/3 2000'
is 'the notes of all pieces, in their order, and its own' 'for i in 0 1; do LM_PROV=1 lm-shard -q --piece $i/2 -o n$i in.lm; done; LM_PROV=1 lm-shard --join -o noted n1 n0; grep -ao "^%by.*" noted/index.lm | sed "s/ver=[^ ]* //"' '%by tool=lm-shard args=--piece=0/2
%by tool=lm-shard args=--piece=1/2
%by tool=lm-shard args=--join'

refuses() { fails "$1" "$2" "lm-shard --join -o no $3" "$4"; is '.. and makes nothing' 'ls -d no no.*' ''; }
refuses 'a piece is missing' 3 'p2 p0' '^lm-shard: .*missing: piece 1/3 was not given'
refuses 'a piece comes twice' 3 'p0 p1 p2 p0' 'p0/index.lm:.*: mismatch: piece 0/3 is that of p0 too'
cp -r p1 p3
refuses '.. by another folder' 3 'p0 p1 p3 p2' 'p3/index.lm:.*: mismatch: piece 1/3 is that of p1 too'
refuses 'pieces of another number' 3 'p0 p1 p7' 'p7/index.lm:.*: mismatch: piece 7/11, but the pieces before are of 3'
other() { third 2 many.lm | eval "$1" | lm-shard -q --piece 2/3 -o "$2"; } # FILTER FOLDER
other 'sed s/vocab=0/vocab=1/' v2
refuses 'another vocabulary' 3 'v2 p1 p0' 'p1/1-00000.lm: mismatch: vocab=0.*, but v2/2-00000.lm has 1'
refuses 'other rows' 3 'p0 p1 r2' 'r2/2-00000.lm: mismatch: seq=16, but p0/0-00000.lm has 0'
other 'lm-pack -q --mode bestfit --seq 16' b2
refuses 'rows packed in another way' 3 'r0 r1 b2' 'b2/2-00000.lm: mismatch: mode=bestfit, but r0/0-00000.lm has concat'
other "sed 's/dt=u16 shape=20/dt=u32 shape=10/'" w2
refuses 'ids of another width' 3 'p0 p1 w2' 'w2/2-00000.lm: mismatch: dt=u32, but p0/0-00000.lm has u16'
refuses 'a folder of no piece' 3 'p0 p1 many' 'many/index.lm:.*: missing: @shard without piece='
lm-shard -q -o zero nothing.lm
refuses '.. of no shard' 3 'p0 p1 zero' 'zero/index.lm:.*: missing: no @shard'
refuses 'no folder' 5 'p0 p1 absent' 'absent/index.lm: io: '
rm -rf p3 && cp -r p2 p3 && rm p3/2-00000.lm
refuses 'a shard is missing' 5 'p0 p1 p3' 'p3/2-00000.lm: io: '
head -c 1000 p2/2-00000.lm >p3/2-00000.lm
refuses 'a shard is cut' 3 'p0 p1 p3' 'p3/2-00000.lm.*: truncated: '
cp p1/1-00000.lm p3/2-00000.lm
refuses 'a shard of another piece' 3 'p0 p1 p3' 'p3/2-00000.lm: mismatch: not '
sed 's/2-00000/1-00000/' p2/index.lm | sed '$s/ crc=.*//' >p3/index.lm && mv p3/2-00000.lm p3/1-00000.lm && cp p2/2-00000.lm p3/1-00000.lm
refuses '.. by its name' 3 'p0 p1 p3' 'p3/1-00000.lm: mismatch: not of piece 2/3'
rm -rf p3 && cp -r p2 p3 && sed 's/^@shard.*/&\n\n&/; $s/.*/%end n=2 b=0/' p2/index.lm >p3/index.lm
refuses 'a shard is listed twice' 3 'p0 p1 p3' 'p3/2-00000.lm: mismatch: is listed twice'
fails 'nothing to join' 2 'lm-shard --join -o no' 'wants the folders'
for o in '--size 4K' '--align 64' --by-hash '-s 1' '--piece 0/1' '--vocab vocab' '-t tok' --lax; do
    fails "$o has no meaning then" 2 "lm-shard --join $o -o no p0 p1 p2" 'it takes -o alone'
done
fails 'nor does it take the folder of other shards' 5 'lm-shard --join -o d p0 p1 p2' 'holds 00000.lm, which would be lost'
fails 'what else the folder holds stays' 5 'mkdir holds && echo mine >holds/mine && lm-shard --join -o holds p0 p1 p2' 'holds mine, which would be lost'
is '.. as it was' 'ls -d holds*; cat holds/*' 'holds
mine'

# another file system: a copy
if [ -d /dev/shm ] && far=$(mktemp -d /dev/shm/lm-test.XXXXXX 2>/dev/null); then
    run 'a folder on another file system' 0 'lm-shard --join -o "$far/all" p0 p1 p2 && for f in all/*; do cmp "$f" "$far/$f" || exit 1; done'
    rm -rf "$far"
fi

# killed: the folder is whole or not there
third 0 many.lm | head -c 3000 >part.lm
mkfifo fifo
lm-shard -q --size 4K --piece 0/3 -o k <fifo &
{
    cat part.lm
    for _ in $(seq 2000); do ls -d k.tmp-* >/dev/null 2>&1 && break; done
    kill -9 $!
} >fifo
wait $! 2>/dev/null
run 'a writer killed: no folder' 0 '[ -d k.tmp-* ] && [ ! -e k ]'
for i in 0 1 2; do third $i many.lm | lm-shard -q --size 4096 --piece $i/3 -o k$i; done
bad=0
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
    rm -rf k k.tmp-*
    lm-shard --join -o k k0 k1 k2 &
    sleep 0.00$((i % 10))
    kill -9 $! 2>/dev/null
    wait $! 2>/dev/null
    [ ! -e k ] || { lm-check k/*.lm && [ "$(ls k)" = "$(ls all)" ] && lm-rows --seq 30 k >a; } || bad=$((bad + 1))
done
is 'a join killed at any moment: all of it or nothing' 'echo $bad' 0
run '.. and the pieces are as they were' 0 'rm -rf k k.tmp-*; lm-check k?/*.lm && lm-shard --join -o k k0 k1 k2 && lm-check k/*.lm'
fails '-o is needed' 2 'lm-shard in.lm' '-o DIR is needed'
fails 'a full disk leaves nothing' 5 'ulimit -f 1; trap "" XFSZ; lm-shard -o full many.lm' 'io: '
is 'nothing at all' 'ls -d full* 2>/dev/null' ''
done_testing
