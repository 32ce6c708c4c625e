#!/bin/sh
# lm-rows: the rows as training reads them, from any place, in any order, for any rank.
. "${0%/*}/t.sh"
. "$ROOT/tests/tokens.sh"
tokens 60 1 >docs.toks
lm-pack -q --seq 16 docs.toks >packed.lm
lm-pack -q --seq 16 --mode concat docs.toks >concat.lm
lm-shard -q --size 4K -o plain docs.toks
lm-shard -q --size 4K -o packed packed.lm
lm-shard -q --size 4K -o concat concat.lm
n=$(lm-ls packed.lm | wc -l)
# records: as lm-pack gave them
records() { lm-cut -q -d sample,row,next,next-weight,next-doc,bytes "$@" | sed '/^%/d'; }
column() { lm-ls -k "$1"; }
# cat_ranks W OPTIONS ..: the rows of W ranks, step by step
ranks()
{
    r_w=$1; shift
    for r in $(seq 0 $((r_w - 1))); do
        lm-rows --rank "$r/$r_w" "$@" | column sample,row
    done | sort -n
}

for m in packed concat; do
    run "$m, as they lie: what was packed" 0 "lm-rows --shuffle none $m | records >a && records $m.lm >b && cmp a b"
done
is 'an epoch has every row once' 'lm-rows packed | column row | sort -n | tr "\n" " "' "$(seq 0 $((n - 1)) | tr '\n' ' ')"
run '.. in another order than they lie' 0 '! { lm-rows packed | column row | sort -nc; } 2>/dev/null'
run 'three steps are three batches' 0 '[ "$(lm-rows --batch 7 -n 3 packed | column sample | wc -l)" = 21 ]'
for o in full none block:64,3; do
    lm-rows --shuffle $o -s 4 --batch 6 -n $(((n + 1) / 2)) packed >all
    run "$o: any place at once" 0 "lm-rows --shuffle $o -s 4 --batch 6 --from 30 -n 5 packed | records >a; lm-head -n 30 --skip 30 all | records >b; cmp a b"
    run "$o: any number of ranks" 0 "for w in 1 2 3 4 5 6 7; do ranks \$w --shuffle $o -s 4 --batch 6 -n $(((n + 1) / 2)) packed >a; column sample,row <all | cmp - a || exit 1; done"
    is "$o: three epochs have every row thrice" 'column row <all | sort -n | uniq -c | awk "\$1 >= 3 { k++ } END { print k }"' "$n"
done
run 'the rest of the epoch alone, for every rank' 0 'ranks 3 --batch 8 --from 13 packed >a; [ "$(wc -l <a)" = '$((n - 13))' ] && [ "$(tail -n 1 a | cut -d " " -f 1)" = '$((n - 1))' ]'
is 'a mixture: exact shares' 'lm-rows --seq 16 --mix 3,1 --batch 4096 -n 1 packed concat | column row | awk -v n='"$n"' "\$1 < n { k++ } END { print NR, k }"' '4096 3072'
is 'rows of lm-where' 'lm-rows -s 3 --batch 4 --from 8 -n 2 packed | column sample,row' "$(lm-where -s 3 --batch 4 packed 3-4 | cut -f 2,3 --output-delimiter=' ' | uniq)"

# --- training cannot tell a stream of rows from the shards
lm-init --layers 1 --dim 16 --heads 1 --kv-heads 1 --ffn 16 --vocab-size 64 --seq 64 -o model
# same SHARDS [READING [TRAINING]]: options of the order, and of the trainer alone
# shellcheck disable=SC2086
same()
{
    more=${3:-}
    lm-train -q -m model --seq 16 --batch-tokens 64 --micro 4 --steps 30 -o "run.$1" $more ${2:-} "$1" &&
        lm-rows --seq 16 --batch 4 -n 30 ${2:-} "$1" | lm-train -q -m model --seq 16 --batch-tokens 64 --micro 4 --steps 30 $more -o "stream.$1" - &&
        lm-metrics -q -k step,loss,bhash "run.$1/metrics.lm" >a && lm-metrics -q -k step,loss,bhash "stream.$1/metrics.lm" | cmp - a &&
        [ "$(cut -f 3 a | sort -u | wc -l)" -gt 25 ]
}
for m in plain packed concat; do
    run "trained alike: $m" 0 "same $m"
    rm -rf run.* stream.*
    run "trained alike: $m, blocks, documents not apart" 0 "same $m '--shuffle block:128,2' '--pack plain'"
    rm -rf run.* stream.*
done
run 'sharded again, the order lies as it was drawn' 0 'lm-rows -s 5 packed | lm-shard -q -o drawn && lm-rows --shuffle none drawn | records >a; lm-rows -s 5 packed | records >b; cmp a b'

# --- refusals
fails 'no shards' 2 'lm-rows' 'missing operand: SHARDS'
fails 'a rank of none' 2 'lm-rows --rank 2/2 packed' '--rank wants R/W'
fails 'an order of none' 2 'lm-rows --shuffle block:0,1 packed' '--shuffle block:0,1'
fails 'a mixture without an end' 2 'lm-rows --mix 1,1 packed concat' 'give --steps'
fails 'packed and plain together' 3 'lm-rows packed plain' 'seq=0, but the shards before have 16'
printf x | dd of=packed/00000.lm bs=1 seek=900 conv=notrunc 2>/dev/null
fails 'a changed byte' 3 'lm-rows packed >/dev/null' 'corrupt: block 0 of tokens .*wrong CRC'
run '.. and the output says so' 4 'lm-rows packed 2>/dev/null >cut; lm-check cut'
done_testing
