#!/bin/sh
# lm-train's optimisers, averages, frozen tensors and statistics: equal bytes in two runs, on any number of threads and
# any instruction level, and after a kill; and what each of them is for.
. "${0%/*}/t.sh"
. "$ROOT/tests/tokens.sh"
tokens 60 1 >train.toks
tokens 15 77 >val.toks
lm-shard -q -o train train.toks
lm-shard -q -o val val.toks
lm-init --layers 2 --dim 32 --heads 2 --kv-heads 1 --ffn 32 --vocab-size 64 --seq 64 -o model
# T RUN OPTIONS ..: train on the shards
T()
{
    t_run=$1
    shift
    lm-train -q -m model -o "$t_run" --seq 16 --batch-tokens 128 --micro 4 --warmup 2 --val val --eval-every 6 "$@" train
}
same_ckpt() { diff -r "$1/latest/" "$2/latest/"; }
kinds() { lm-metrics -q --kind step,val,layer,hist "$1/metrics.lm"; }
# tensors FILE: the names of a safetensors file
tensors() { head -c 20000 "$1" | LC_ALL=C tr -c '[:print:]' '\n' | grep -o '"[a-z._0-9]*":{"dtype' | cut -d '"' -f 2; }
# equal RUN OPTIONS ..: 12 steps twice, with one and two threads, with each level, with other micro-batches, and killed in
# the middle
equal()
{
    e_run=$1
    shift
    T "$e_run" -j 2 --steps 12 "$@" && T "$e_run.1" -j 1 --steps 12 "$@" && same_ckpt "$e_run" "$e_run.1" || return
    kinds "$e_run" >a; kinds "$e_run.1" | cmp - a || return
    for e_level in ref avx2 avx512; do
        [ $e_level = ref ] || grep -q ${e_level}f /proc/cpuinfo || grep -qw $e_level /proc/cpuinfo || continue
        LM_DEVICE=$e_level T "$e_run.$e_level" --steps 12 "$@" && same_ckpt "$e_run" "$e_run.$e_level" || return
        kinds "$e_run.$e_level" | cmp - a || return
    done
    T "$e_run.m" --micro 8 --steps 12 "$@" && same_ckpt "$e_run" "$e_run.m" && kinds "$e_run.m" | cmp - a || return
    T "$e_run.k" --steps 5 --sched const --ckpt-every 1 "$@" && T "$e_run.k" --micro 8 --steps 12 --ckpt-every 1 --sched const "$@" &&
        T "$e_run.w" --steps 12 --sched const "$@" && same_ckpt "$e_run.w" "$e_run.k" || return
    (exec lm-train -q -m model -o "$e_run.d" --seq 16 --batch-tokens 128 --micro 4 --warmup 2 --ckpt-every 1 --steps 12 "$@" \
        train) & e_pid=$!
    while [ ! -e "$e_run.d/latest" ]; do sleep 0.02; done
    kill -9 $e_pid
    wait $e_pid
    T "$e_run.d" --ckpt-every 1 --steps 12 "$@" && same_ckpt "$e_run" "$e_run.d"
}
falls() { lm-metrics -k loss "$1/metrics.lm" | awk 'NR == 2 { a = $1 } { b = $1 } END { exit !(b < a - 0.3) }'; }

run 'Lion: equal bytes everywhere' 0 'equal lion --opt lion --lr 0.003 2>/dev/null'
run '.. and the loss falls' 0 'falls lion'
run '.. with one moment' 0 'tensors lion/latest/train.safetensors >t; grep -q "^opt.m.model.norm.weight" t && ! grep "^opt.v" t'
run '.. and its own betas' 0 'grep -aq "betas=0.9,0.99 " lion/metrics.lm'
fails 'an optimiser is part of the recipe' 3 'T lion --steps 14 --opt adamw --betas .9,.99' 'opt was lion, now adamw'
run '.. another may go on: what it needs begins at zero' 0 'cp -r lion drift; T drift --steps 14 --opt adamw --allow-drift --ema 0.9 && tensors drift/latest/train.safetensors | grep -q ^ema.model.norm.weight'
fails 'micro-batches that cut a block of 64 tokens are part of it too' 3 'T lion --steps 14 --micro 2 --opt lion' 'micro was any, now 2: give the old value'

lm-init --layers 2 --dim 40 --heads 4 --kv-heads 2 --ffn 56 --vocab-size 64 --seq 64 -o odd # not of whole blocks of 32
run 'sums in tile order: equal bytes everywhere' 0 'equal tile -m odd --lr 0.003 --sum tile 2>/dev/null'
run '.. which are not those of the chain' 0 'T chain -m odd --lr 0.003 --steps 12 && ! same_ckpt chain tile >/dev/null'
run '.. but near: the loss falls as far' 0 'falls tile && lm-metrics -k loss chain/metrics.lm | tail -n 1 >a; lm-metrics -k loss tile/metrics.lm | tail -n 1 | paste a - |
    awk "{ d = \$1 - \$2; exit !(d < 0.001 && d > -0.001) }"'
run '.. the run says so, and that with the chain does not' 0 'grep -aq "^@run.* sum=tile" tile/metrics.lm && ! grep -a "^@run.* sum=" chain/metrics.lm'
fails '.. they are part of the recipe' 3 'T tile -m odd --lr 0.003 --steps 14' 'sum was tile, now unset: give the old value'
fails '.. and so is the chain' 3 'T chain -m odd --lr 0.003 --steps 14 --sum tile' 'sum was unset, now tile'
fails '.. there are none of f32' 2 'T x --sum tile --dtype f32' 'tile is of bf16 products'

run 'an average: equal bytes everywhere' 0 'equal ema --lr 0.01 --ema 0.9 2>/dev/null'
run '.. it changes nothing else' 0 'T noema --lr 0.01 --steps 12; cmp ema/latest/model.safetensors noema/latest/model.safetensors && lm-metrics ema/metrics.lm >a; lm-metrics noema/metrics.lm | cmp - a'
run '.. is a model in a folder of the checkpoint, and is what was scored' 0 'cp -r ema/latest/ema avg; T scored --lr 0 --steps 1 --warmup 0 -m avg --eval-every 1 && :
    lm-metrics -q --kind val -k ema-loss ema/metrics.lm | tail -n 1 >a; lm-metrics -q --kind val -k loss scored/metrics.lm | tail -n 1 | paste a - | awk "{ d = \$1 - \$2; exit !(d < 0.01 && d > -0.01) }"'
run '.. at the beginning it is the model itself' 0 'T still --lr 0 --ema 0.5 --steps 1 --warmup 0 && cmp still/latest/model.safetensors still/latest/ema/model.safetensors'
run '.. and differs in the end' 0 '! cmp -s ema/latest/model.safetensors ema/latest/ema/model.safetensors'
at=$(($(wc -c <ema/latest/ema/model.safetensors) - 9))
cp -r ema hurt; printf 'x' | dd of=hurt/latest/ema/model.safetensors bs=1 seek=$at conv=notrunc 2>/dev/null
run '.. damage there is damage' 0 'T hurt --lr 0.01 --ema 0.9 --steps 12 && lm-metrics --kind event -k event hurt/metrics.lm | grep ckpt-damaged'
fails '.. its decay is part of the recipe' 3 'T ema --lr 0.01 --steps 14' 'ema was 0.9, now unset'
fails '.. and lies between 0 and 1' 2 'T x --ema 1' 'ema 1: want off or a decay'

run 'frozen tensors: equal bytes everywhere' 0 'equal ice --lr 0.01 --ema 0.9 --freeze "embed|layers\.0\." 2>/dev/null'
run '.. have no moments and no average' 0 'tensors ice/latest/train.safetensors >t; grep -E "embed|layers.0" t | grep -v ^master && exit 1; grep -q ^opt.v.model.layers.1 t && grep -q ^ema.model.layers.1 t && grep -q ^master.model.layers.0 t'
# piece FILE TENSOR: the hash of a tensor
cat >piece.awk <<'A'
{ i = index($0, "\"" t "\":"); s = substr($0, i); match(s, /"data_offsets":\[[0-9]*,[0-9]*/); split(substr(s, RSTART + 16, RLENGTH - 16), o, ","); print o[1], o[2] }
A
piece()
{
    p_head=$(od -An -tu4 -N4 "$1" | tr -d ' ')
    # shellcheck disable=SC2046
    set -- "$1" $(head -c $((8 + p_head)) "$1" | tail -c "$p_head" | awk -v t="$2" -f piece.awk)
    tail -c +$((9 + p_head + $2)) "$1" | head -c $(($3 - $2)) | cksum
}
run '.. stay as they were' 0 'for n in model.embed_tokens.weight model.layers.0.mlp.up_proj.weight model.layers.0.input_layernorm.weight; do
    [ "$(piece model/model.safetensors $n)" = "$(piece ice/latest/model.safetensors $n)" ] || exit 1; done'
run '.. and others do not' 0 '[ "$(piece model/model.safetensors model.layers.1.mlp.up_proj.weight)" != "$(piece ice/latest/model.safetensors model.layers.1.mlp.up_proj.weight)" ]'
run '.. are told with -v' 0 'lm-train -v -m model -o told --seq 16 --batch-tokens 128 --micro 4 --steps 1 --freeze norm train 2>&1 | grep "^9 of 24 tensors are frozen, 224 of 14560 parameters"'
run '.. have no part in the gradient norm' 0 'T bare --lr 0.01 --steps 1 --warmup 0 && T part --lr 0.01 --steps 1 --warmup 0 --freeze "layers" && lm-metrics -q -k gnorm bare/metrics.lm part/metrics.lm | tail -n 2 | tr "\n" " " | awk "{ exit !(\$2 < \$1 && \$2 > 0) }"'
fails '.. are part of the recipe' 3 'T ice --lr 0.01 --ema 0.9 --steps 14' 'freeze was .*now unset'
long=$(printf '%600s' '' | tr ' ' x)
fails '.. to the last byte of a long pattern' 3 'T long --lr 0.01 --sched const --warmup 0 --freeze "norm|${long}a" --steps 1 && T long --lr 0.01 --sched const --warmup 0 --freeze "norm|${long}b" --steps 2' 'freeze was '
fails 'a pattern that finds nothing' 2 'T x --freeze lm_haed' 'no tensor has such a name'
fails 'a pattern that finds all' 2 'T x --freeze .' 'none is trained'
fails 'a pattern that is none' 2 'T x --freeze "a(" ' 'freeze a\(: '

run 'records of layers each tenth step, by default' 0 'T twenty --lr 0.01 --steps 20 && [ "$(lm-metrics -q --kind layer -k step twenty/metrics.lm | tr "\n" " ")" = "step 10 20 " ]'
run '.. not with --stats 0, and equal in all else' 0 'T none --lr 0.01 --steps 20 --stats 0 && [ -z "$(lm-metrics -q --kind layer,hist -k step none/metrics.lm | sed 1d)" ] && same_ckpt none twenty'
run '.. their gradients make the norm' 0 'lm-metrics -q --kind layer --jsonl twenty/metrics.lm | tail -n 1 | grep -o "\"g-[^,}]*" | sed "s/.*://" | tr -d "\"" | awk "{ s += \$1 * \$1 } END { print sqrt(s) }" >a
    lm-metrics -q -k gnorm twenty/metrics.lm | tail -n 1 | paste a - | awk "{ d = \$1 / \$2 - 1; exit !(d < 1e-4 && d > -1e-4) }"'
run '.. and their updates are what changed' 0 'T change --lr 0.01 --steps 10 --opt lion --wd 0 --sched const --warmup 0 &&
    lm-metrics -q --kind layer -k u-embed change/metrics.lm | tail -n 1 | awk "{ d = \$1 / (0.01 * sqrt(64 * 32)) - 1; exit !(d < 0.05 && d > -0.2) }"'
run 'a histogram with --stats 2 counts every number' 0 'T hist --lr 0.01 --steps 10 --stats 2 && lm-metrics -q --kind hist --jsonl hist/metrics.lm | grep -o "\"b-[^,}]*" | sed "s/.*://" | tr -d "\"" | awk "{ s += \$1 } END { exit s != 14560 }"'
# --- steps without a token to learn from
i=0
while [ $i -lt 40 ]; do
    [ $i -ge 12 ] && [ $i -lt 24 ] || printf '%032x\n' $i
    i=$((i + 1))
done >skip.ids
run 'steps whose tokens all have weight 0: equal bytes everywhere' 0 'equal none0 --lr 0.01 --ema 0.9 --shuffle none --skip-ids skip.ids 2>/dev/null'
is '.. count, and are told as such' 'lm-metrics -q -k step,loss,weight,gnorm,skipped none0/metrics.lm | awk "NR > 1 { print \$1, \$2 == \"nan\", \$3 == 0, \$4 == 0, \$5 }" | sort -n | sed "s/ 1 1 1 1$/ skipped/;s/ 0 0 0 0$/ done/" | cut -d " " -f 2 | uniq | tr "\n" " "' 'skipped done skipped done '
is '.. by an event each' 'lm-metrics -q --kind event -k event,reason none0/metrics.lm | grep -c "^skip	weight-0$"' 6
run '.. by one warning' 0 'lm-train -m model -o warned --seq 16 --batch-tokens 128 --micro 4 --warmup 0 --steps 12 --shuffle none --skip-ids skip.ids train 2>msg; [ "$(grep -c "warning: step 1: every token of the batch has weight 0" msg)" = 1 ] && [ "$(wc -l <msg)" = 2 ]'
run '.. change nothing, neither by decay nor by momentum' 0 'T each --lr 0.01 --wd 1 --ema 0.9 --shuffle none --skip-ids skip.ids --steps 12 --ckpt-every 1 --keep 20 &&
    cmp model/model.safetensors each/step-00000003/model.safetensors && ! cmp -s model/model.safetensors each/step-00000004/model.safetensors &&
    for f in model.safetensors train.safetensors ema/model.safetensors; do cmp each/step-00000007/$f each/step-00000010/$f && ! cmp -s each/step-00000006/$f each/step-00000007/$f || exit 1; done'
run '.. have no norms of layers' 0 '[ -z "$(lm-metrics -q --kind layer -k step each/metrics.lm | sed 1d)" ]'
fails '.. but a run of such steps alone has learnt nothing' 3 'T nil --warmup 0 --decay 0 --shuffle none --skip-ids skip.ids --steps 1' 'no token of any step has a weight'
# --- memory
lm-init --layers 16 --dim 32 --heads 2 --kv-heads 1 --ffn 64 --vocab-size 64 --seq 64 -o deep
# D RUN OPTIONS ..: one step of many rows, told
D() { t_run=$1; shift; lm-train -v -j 1 -m deep -o "$t_run" --seq 64 --batch-tokens 4096 --steps 1 --lr 0.01 "$@" train 2>&1; }
run 'what is computed again is not kept, and the bytes are the same' 0 'for r in none act block; do D deep.$r --micro 64 --recompute $r | sed -n "s/ MB for training, recompute $r//p" || exit 1; done >mb
    awk "NR > 1 && \$1 >= a { bad = 1 } { a = \$1 } END { exit bad || NR != 3 }" mb && same_ckpt deep.none deep.act && same_ckpt deep.none deep.block'
run '.. it may change on resume' 0 'D deep.act --micro 64 --recompute block --steps 2 >/dev/null && D deep.w --micro 64 --steps 2 >/dev/null && D deep.r --micro 64 --sched const --steps 1 >/dev/null && D deep.r --micro 64 --sched const --recompute act --steps 2 >/dev/null && D deep.s --micro 64 --sched const --steps 2 >/dev/null && same_ckpt deep.r deep.s'
if [ "${CONF:-release}" = release ]; then
    # nine tenths of the address space may be taken
    is 'by itself the first that fits is taken' '(ulimit -v $(($(sed -n 1p mb) * 1024 - 8000)); D deep.auto --micro 64 | grep -o "recompute .*"); same_ckpt deep.none deep.auto' 'recompute act'
    fails 'what cannot fit is told, with what would' 5 '(ulimit -v $(($(sed -n 1p mb) * 1024 - 8000)); lm-train -q -j 1 -m deep -o x3 --seq 64 --micro 64 --batch-tokens 4096 --steps 1 --recompute none train)' 'training takes [0-9]* MB, there are [0-9]*: --recompute act takes'
    fails '.. fewer rows too' 5 '(ulimit -v 80000; lm-train -q -j 1 -m deep -o x3 --seq 64 --micro 512 --batch-tokens 32768 --steps 1 train)' '--micro [0-9]* --recompute block takes'
fi

# --- fine-tuning on answers
# pairs FROM TO: the questions of these numbers with their answers
pairs()
{
    awk -v a="$1" -v b="$2" 'BEGIN {
        print "%lm 1"
        for (i = a; i < b; i++) {
            p = "what comes after " i "? "; t = p "after it comes " (i + 1) "."
            printf "@pair %d cut=%d label=good\n%s\n", length(t), length(p), t
            n++; all += length(t)
        }
        printf "%%end n=%d b=%d\n", n, all
    }'
}
pairs 0 300 >pairs.lm
pairs 300 330 >held.lm
for i in 1 2 3 4 5 6 7 8 9; do echo "after $i comes what it was: $((i * 7)) and so on."; done >text
lm-import text | lm-bpe-train -q -o tok --vocab-size 800 --reserve 512 --pad-to 1 --allow-short
lm-init --layers 2 --dim 32 --heads 2 --kv-heads 1 --ffn 64 --vocab tok --seq 64 -o base
lm-tok --vocab tok pairs.lm | lm-pack -q --seq 64 >sft.rows
lm-tok --vocab tok held.lm | lm-pack -q --seq 64 | lm-shard -q -o held
lm-shard -q -o sft sft.rows
# F RUN OPTIONS .. DATA: fine-tune
F() { t_run=$1; shift; lm-train -q -m base -o "$t_run" --loss sft --batch-tokens 512 --micro 4 --warmup 2 --lr 0.01 --val held --eval-every 40 "$@"; }
val() { lm-metrics -q --kind val -k "$2" "$1/metrics.lm" | sed 1d; }
run 'fine-tuning lowers the loss of answers that were held out' 0 'F tuned --steps 80 sft && F before --lr 0 --steps 1 --warmup 0 --decay 0 sft && val before loss >a && val tuned loss | tail -n 1 | paste a - | awk "{ exit !(\$2 < \$1 / 2) }"'
run '.. of answers alone' 0 '[ "$(val tuned weight | tail -n 1)" -lt "$(lm-tok --vocab tok held.lm | heads | grep -ao "shape=[0-9]*" | awk -F= "{ s += \$2 } END { print int(s * 0.7) }")" ] && [ "$(val tuned weight | tail -n 1)" -gt 100 ]'
run '.. with the defaults of fine-tuning' 0 'lm-train -q -m base -o dflt --loss sft --batch-tokens 1024 --steps 1 sft && grep -a ^@run dflt/metrics.lm | grep "loss=sft zloss=0 opt=adamw .* lr=1e-5 "'
run '.. from a stream as from shards' 0 'F s1 --steps 8 --shuffle none sft; F s2 --steps 8 --shuffle none - <sft.rows; cmp s1/latest/model.safetensors s2/latest/model.safetensors'
run '.. straight from the pairs' 0 'lm-tok --vocab tok pairs.lm | F s3 --seq 64 --steps 8 - && val s3 loss | grep -q .'
run '.. the same bytes on one thread and after a stop' 0 'F s4 -j 1 --sched const --steps 4 sft; F s4 -j 2 --sched const --steps 8 sft; F s5 --sched const --steps 8 sft; same_ckpt s4 s5'
run '.. with another optimiser, frozen tensors and an average' 0 'F s6 --opt lion --freeze norm --ema 0.9 --steps 2 sft'
pairs 0 3 | awk '/^@pair/ { next } /^what/ { p = "tell me at length, so that no row of a batch holds more than what is asked here: "; p = p p p p p p; cut = length(p); print "@pair", length(p $0), "cut=" cut, "label=good"; print p $0; b += length(p $0); n++; next } /^%end/ { print "%end n=" n, "b=" b; next } { print }' | lm-tok --vocab tok | lm-shard -q -o longsft
run 'prompts as long as a row do not end a fine-tuning' 0 'F longer --seq 64 --steps 19 --shuffle none --batch-tokens 64 --micro 1 longsft && [ "$(lm-metrics -q -k weight longer/metrics.lm | sed 1d | sort -n | sed -n "1s/^0$/none/p;\$s/[1-9].*/some/p" | tr "\n" " ")" = "none some " ]'
tokens 60 1 "$(lm-vocab tok | sed -n 's/^vocab.//p')" >plain.toks
lm-shard -q -o plain plain.toks
fails 'data without weights are refused, from shards' 3 'F none1 --seq 64 --steps 4 plain' 'loss sft: no token is marked as a prompt .*--loss ce --opt adamw'
fails '.. and from a stream' 3 'F none2 --seq 64 --steps 4 - <plain.toks' 'no token is marked as a prompt'
run '.. nothing was trained' 0 '[ ! -e none1/latest ] && [ ! -e none2/latest ]'
fails 'the loss is part of the recipe' 3 'F s5 --loss ce --zloss 0 --opt adamw --sched const --steps 9 sft' 'loss was sft, now ce'
done_testing
