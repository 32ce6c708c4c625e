#!/bin/sh
# Damaged shards: lm-train, lm-rows and lm-where refuse them by the name of shard and block, before
# the first step where that can be known, and as soon as they are met where not.
# shellcheck disable=SC2016,SC2017,SC2034,SC2046,SC2059
. "${0%/*}/t.sh"

mkdir d
awk 'BEGIN { srand(1); for (i = 0; i < 52000; i++) printf "w%d%s", int(rand() * 90), i % 9 ? " " : "\n" >(i % 2 ? "d/a.txt" : "d/b.txt") }'
lm-import d >docs.lm
lm-head -q -n 1 docs.lm >one.lm
for v in tok:qwen2 other:gpt2; do
    lm-bpe-train -q -o "${v%:*}" --pretok "${v#*:}" --vocab-size 300 --reserve 8 --pad-to 1 --allow-short one.lm
    lm-init --layers 1 --dim 16 --heads 1 --kv-heads 1 --ffn 16 --seq 32 --vocab "${v%:*}" -o "model-${v%:*}"
    lm-tok --vocab "${v%:*}" docs.lm >"${v%:*}.toks"
done
lm-head -n 1 tok.toks >a
lm-head -n 1 --skip 1 tok.toks >b
na=$(lm-ls -k shape a) nb=$(lm-ls -k shape b)
copies() { yes "$2" | head -n "$1"; }
# three shards: all a, all b, half as many a
shards() { lm-shard -q --size 3M -o "$@"; }
per=$(((3 << 20) / (2 * na)))
lm-cat $(copies $per a) $(copies $per b) $(copies $((per / 2)) a) | shards whole
# body FILE TYPE: where the body of the first record of that type begins
body() { LC_ALL=C grep -abo "^@$2 .*" "$1" | awk -F : 'NR == 1 { n = index($0, ":"); print $1 + length($0) - n + 1 }'; }
tokens_at=$(body whole/00001.lm tok)
block=1048576
put() { printf "$(printf '\\%03o' "$3")" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null; } # FILE PLACE BYTE
flip() { put "$1" "$2" $(($(od -An -tu1 -j "$2" -N 1 "$1") ^ 1)); }                              # FILE PLACE: its lowest bit
fresh() { rm -rf x && cp -r whole x; }

# the three, on the shards of a folder or of several; what they print and the run of lm-train is theirs
train() { rm -rf run; lm-train -q -j 1 -m "model-$vocab" --seq 32 --batch-tokens 128 --micro 4 --steps "$steps" --warmup 1 -o run "$@"; }
rows() { lm-rows --vocab "$vocab" --seq 32 --batch 4 -n "$steps" "$@"; }
where() { lm-where --docs docs.lm --vocab "$vocab" --seq 32 --batch 4 "$@" "1-$steps"; }
vocab=tok steps=30
of_train() { grep -hs 'kind=step' run/metrics.lm | grep -c .; }
of_rows() { lm-ls -q printed 2>/dev/null | grep -c '^@tok'; }
of_where() { grep -c . printed; }
# after N COMMAND ..: its status, or 99 if it gave not N steps or rows
after() { a_n=$1; shift; "$@" >printed; a_st=$?; [ "$("of_$1")" = "$a_n" ] || return 99; return $a_st; }
# refused NAME STATUS ERE SHARDS ..: by each of the three, before a step, a row, a line
refused()
{
    r_name=$1 r_st=$2 r_ere=$3; shift 3
    for r_tool in train rows where; do
        fails "$r_name: $r_tool" "$r_st" "after 0 $r_tool $*" "$r_ere"
    done
}

is 'shards of several blocks' 'lm-ls -k tokens whole/index.lm' "$((per * na))
$((per * nb))
$((per / 2 * na))"
run 'whole, they pass: lm-train' 0 'after 30 train whole'
run 'whole, they pass: lm-rows' 0 'after 120 rows whole && cp printed all'
run 'whole, they pass: lm-where' 0 'where whole >printed && [ "$(cut -f 3 printed | uniq | wc -l)" = 120 ]'

# --- a flipped bit: the rows before are the same, the first in that block is refused
fresh
flip x/00001.lm $((tokens_at + block + 12345))
first=$(lm-ls -k row all | awk -v r0=$(((per * na - 1) / 32)) -v lo=$((block / 2)) '{ t = ($1 - r0) * 32; if (t + 32 >= lo && t < 2 * lo) { print NR - 1; exit } }')
named='x/00001.lm: corrupt: block 1 of tokens \(bytes 1048576-2097151\): wrong CRC'
note "met in row $first"
fails 'a flipped bit: lm-train takes the steps before' 3 'after $((first / 4)) train x' "$named"
like '.. and its records tell why' 'grep -ha "^@event\|^%abort" run/metrics.lm run/ledger.lm | sed "s/%20/ /g" | uniq -c' 'x/00001.lm: block 1 of tokens'
fails 'a flipped bit: lm-rows writes the rows before' 3 'after $first rows x' "$named"
run '.. the same' 0 'lm-ls -q -k sample,row,id printed >have 2>/dev/null; lm-ls -k sample,row,id all | head -n $first | cmp - have'
fails 'a flipped bit: lm-where' 3 'after 0 where x' "$named"
run '.. not for the steps before' 0 'steps=$((first / 4)) && where x >printed && [ -s printed ]'
fails 'a stream of rows that breaks off ends the training' 4 'lm-rows --seq 32 --batch 4 -n 30 x 2>/dev/null | train -' .
fails 'shards to validate on too' 3 'train --val x whole' "$named"

# the blocks of a shard, from first to last byte
for at in 0:0 $((block - 1)):0 $block:1 $((2 * block - 1)):1 $((2 * block)):2 $((2 * per * nb - 1)):2; do
    fresh
    flip x/00001.lm $((tokens_at + ${at%:*}))
    rows_before=$(((per * na - 1) / 4096 + (${at#*:} * block / 2 + 4095) / 4096 - (${at#*:} > 0)))
    fails "byte ${at%:*} is of block ${at#*:}" 3 'lm-rows --vocab tok --seq 4096 --shuffle none x >printed' "x/00001.lm: corrupt: block ${at#*:} of tokens .*wrong CRC"
    is '.. all rows before come' 'of_rows' "$rows_before"
done
# --- what stands behind the tokens has sums of its own, for each 64 KiB of a record's body
of_vocab=$(lm-ls -k vocab a)
awk -v v="$of_vocab" 'BEGIN {
    n = 20000; print "%lm 1"
    for (i = 0; i < n; i++) {
        printf "@tok 24 dt=u16 shape=8 vocab=%s id=%032d prefix=2 with=weight:u8:8\n", v, i + 1
        for (k = 0; k < 8; k++) printf "%c\001", 1 + (i * 3 + k * k) % 8
        print "\001\001\001\002\002\001\001\001"
    }
    print "%end n=" n " b=" n * 24 }' >small.toks
shards small small.toks
s=small/00000.lm
steps=1
# without_sums FILE: the shard as older versions wrote it
without_sums()
{
    o_b=0 o_docs=$(grep -a '^@shard' "$1" | sed 's/.* docs=\([0-9]*\).*/\1/')
    head -c $(($(LC_ALL=C grep -abo '^@ends ' "$1" | cut -d : -f 1) - 1)) "$1"
    for o_type in ends ids weight prefix; do
        o_head=$(grep -a "^@$o_type " "$1") || continue
        case $o_type in
        ends) o_n=${o_head#*crc:u32:} o_n=$((8 * o_docs + 4 * ${o_n%%,*})) ;;
        ids) o_n=$((24 * o_docs)) ;;
        weight) o_n=${o_head#*shape=} o_n=${o_n%% *} ;;
        prefix) o_n=$((4 * o_docs)) ;;
        esac
        printf '\n%s\n' "$o_head" | sed "s/^\(@[a-z]*\) [0-9]*/\1 $o_n/; s/ with=sum:.*//; s/,sum:.*//"
        tail -c +$(($(body "$1" $o_type) + 1)) "$1" | head -c "$o_n"
        o_b=$((o_b + o_n))
    done
    o_n=$(grep -a '^@tok ' "$1" | cut -d ' ' -f 2)
    printf '\n%s b=%d\n' "$(grep -ao '^%end n=[0-9]*' "$1")" $((o_b + o_n))
}
# in the first block of each: refused before a step, a row, a line; the ends still rise
from_at=$((16 * 20000))
for at in ends:48 ids:100 ids:15 weight:77 prefix:40; do
    rm -rf x && cp -r small x
    flip x/00000.lm $(($(body $s ${at%:*}) + ${at#*:}))
    refused "a flipped bit in @${at%:*}" 3 "x/00000.lm: corrupt: block 0 of @${at%:*} \\(bytes 0-65535\\): wrong CRC" --shuffle none x
done
each() { lm-rows --seq 32 --shuffle none "$@"; }
of_each() { of_rows; }
# in a later one: the rows before come. A document is read with where it begins and
# the one behind it; weights are looked at with the block of their tokens
for at in ends:$((8 * 8192 + 8)):1:2047 ends:$((8 * 19000)):2:4095 ids:$((16 * 4096)):1:1023 ids:$((from_at + 8 * 7000)):5:239 \
    weight:65536:1:0 weight:159999:2:0 prefix:$((4 * 17000)):1:4095; do
    echo "$at" | tr : ' ' >of && read -r type place nr first <of
    rm -rf x && cp -r small x
    flip x/00000.lm $(($(body $s "$type") + place))
    fails "byte $place of @$type: the rows before block $nr" 3 "after $first each x" "x/00000.lm: corrupt: block $nr of @$type \\(bytes $((nr * 65536))-[0-9]*\\): wrong CRC"
done
sed 's/ prefix=2//' small.toks >loose.toks && shards loose loose.toks
for type in ends ids weight; do
    rm -rf x && cp -r loose x
    flip x/00000.lm $(($(body loose/00000.lm "$type") + 70000))
    fails "lm-export, @$type" 3 'lm-export --to datatrove -o none x' "x/00000.lm: corrupt: block 1 of @$type .*: wrong CRC"
done
mkdir old && without_sums $s >old/00000.lm && cp small/index.lm old/
like 'a shard without sums' 'heads old/00000.lm' '^@ids [0-9]* dt=u8 shape=20000,16 of=tok with=from:u64:20000$'
run '.. is whole' 0 'lm-check old/00000.lm'
run '.. and makes the same rows' 0 'lm-rows --seq 32 small >want && lm-rows --seq 32 old | cmp - want'
for at in 0 2 4 6 8 10; do flip old/00000.lm $(($(body old/00000.lm ends) + 8 * at + 7)); done
refused 'ends that do not rise' 3 'old/00000.lm: corrupt: @ends: document 0 ends' --shuffle none old/00000.lm
cp $s twice && printf '%%lm 1\n' >x.head
sed -i 's/^%end n=6 b=\([0-9]*\).*/@prefix 0 dt=u32 shape=0 of=tok\n\n%end n=7 b=\1/' twice
refused 'a record that stands twice' 3 'twice:6:.*corrupt: a second @prefix' twice
sed 's/^\(@prefix .*sum:u32:\)2/\11/' $s >fewer
refused 'sums of other places' 3 'fewer:5:.*invalid: sums that are not the last part' fewer
sed 's/with=\(from:u64:20000\),\(sum:u32:8\)/with=\2,\1/' $s >early
refused 'sums before what they are of' 3 'early:3:.*invalid: sums that are not the last part' early
sed 's/^@prefix 80008 \(.*sum:u32:\)2/@prefix 80012 \13/; s/^%end n=6 b=\([0-9]*\).*/123\n%end n=6 b=0/' $s >excess
sed -i 's/^%end.*/%end n=6 b='$(($(grep -a '^@' $s | awk '{ n += $2 } END { print n }') + 4))/ excess
refused 'more sums than blocks' 3 'excess:5:.*mismatch: sums of another number of blocks' excess
vocab=tok steps=30

# --- cut short: nothing is read of it
short() { fresh && head -c "$1" whole/00001.lm >x/00001.lm; }
size=$(wc -c <whole/00001.lm)
ends_at=$(LC_ALL=C grep -abo '^@ends ' whole/00001.lm | cut -d : -f 1)
ids_at=$(LC_ALL=C grep -abo '^@ids ' whole/00001.lm | cut -d : -f 1)
end_at=$(LC_ALL=C grep -abo '^%end ' whole/00001.lm | cut -d : -f 1)
for at in 0:empty 3:a.line 6:no..end $((tokens_at - 9)):a.line $((tokens_at + block)):cut.in.a.body \
    $ends_at:no..end $((ends_at + 40)):'(a.line|cut.in.a.body)' $ids_at:no..end $end_at:no..end $((size - 1)):a.line; do
    short "${at%%:*}"
    refused "cut to ${at%%:*} bytes" 3 "x/00001.lm.*truncated: ${at#*:}" x
done
fresh && rm x/00001.lm
refused 'a shard that is missing' 5 'x/00001.lm: io: .*No such file' x
fresh && mv x/00001.lm x/y && mv x/00000.lm x/00001.lm && mv x/y x/00000.lm
refused 'two exchanged' 3 'x/00000.lm: mismatch: not the shard that index.lm lists' x
fresh && cp x/00001.lm x/00002.lm
refused 'another in its place' 3 'x/00002.lm: mismatch: not the shard that index.lm lists' x
fresh && sed -i '$d' x/index.lm
refused 'a cut index' 3 'x/index.lm.*truncated' x
shards alone a
f=alone/00000.lm
{
    printf '%%lm 1\n'
    grep -a '^@shard' $f
    printf '\n@ends 8 dt=u64 shape=1 of=tok with=crc:u32:0\n'
    tail -c +$(($(body $f ends) + 1)) $f | head -c 8
    printf '\n%s\n' "$(grep -a '^@tok' $f)"
    tail -c +$(($(body $f tok) + 1)) $f | head -c $((2 * na))
    printf '\n%%end n=3 b=%d\n' $((8 + 2 * na))
} >turned
refused 'checks of no blocks, before there are any' 3 'turned:1:.*corrupt: @ends before @tok' turned

# --- another vocabulary
vocab=other
refused 'shards of another vocabulary' 3 'whole/00000.lm: mismatch: vocab=[0-9a-f]{32}, but the vocabulary in use is' whole
vocab=tok
shards of-other other.toks
fresh && cp of-other/00000.lm x/00001.lm
refused 'one of another vocabulary among them' 3 'x/00001.lm: mismatch: vocab=' x
refused 'two sets of different vocabulary' 3 'of-other/00000.lm: mismatch: vocab=' whole of-other
fails '.. also where none is given: lm-rows' 3 'lm-rows whole of-other' 'of-other/00000.lm: mismatch: vocab='
fails '.. also where none is given: lm-where' 3 'lm-where of-other whole 1' 'whole/00000.lm: mismatch: vocab='
fails 'shards to validate on, of another vocabulary' 3 'after 0 train --val of-other whole' 'of-other/00000.lm: mismatch: vocab='
fails 'a mixture, too' 3 'after 0 train --mix 1,1 whole of-other' 'of-other/00000.lm: mismatch: vocab='

# --- an id beyond the vocabulary: lm-shard without --vocab takes any
cp b c
at=$(($(body c tok) + 10))
put c "$at" 136 && put c $((at + 1)) 19
k=$((block / 2 / nb + 2))
lm-cat $(copies $per a) $(copies $k b) c $(copies $((per - k - 1)) b) a | shards beyond
named="beyond/00001.lm: invalid: block 1 of tokens \\(bytes 1048576-2097151\\): token $((k * nb + 5)) is id 5000, beyond the [0-9]+ of the vocabulary"
steps=60
fails 'an id beyond it: lm-train' 3 'train beyond' "$named"
fails 'an id beyond it: lm-rows' 3 'rows beyond >printed' "$named"
fails 'an id beyond it: lm-where' 3 'after 0 where beyond' "$named"
fails 'lm-shard with the vocabulary does not take it' 3 'lm-cat a c | lm-shard --vocab tok -o none' 'token 5 is id 5000, beyond the'
done_testing
