#!/bin/sh
# lm-train when something is wrong: what it says, how it exits, and that nothing which was there before is lost.
. "${0%/*}/t.sh"
. "$ROOT/tests/tinyrun.sh"
tiny_run run 4
lm-init --layers 2 --dim 32 --heads 2 --kv-heads 1 --head-dim 16 --ffn 64 --seq 64 --dtype f32 --vocab tiny.vocab --tie off -o loose
vocab=$(lm-vocab model | sed -n 's/^vocab.//p')
tokens 40 2 "$vocab" | lm-shard -q -o other
tokens 40 1 >foreign.toks
lm-shard -q -o foreign foreign.toks
tokens 40 1 "$vocab" >own.toks
recipe='--seq 16 --batch-tokens 64 --micro 4 --lr 0.01 --warmup 1 --ckpt-every 1 --keep 1000'
# T RUN STEPS OPTIONS ..: as tiny_run, of the model in $m and the data in $d, with its warnings; X in the place of its shell
m=model d=data
X()
{
    t_run=$1 t_steps=$2
    shift 2
    # shellcheck disable=SC2086
    exec lm-train -m "$m" -o "$t_run" $recipe --steps "$t_steps" "$@" $d
}
T() { (X "$@"); }
again() { rm -rf r; cp -r run r; }
events() { lm-metrics -q --kind event "$1/metrics.lm"; }
same() { diff -r "$1/latest/" "$2/latest/"; }
# bad NAME STATUS CMD MESSAGE: CMD exits so, with one line that is MESSAGE (an ERE) to its end behind `lm-train: `, warnings apart
bad()
{
    t_do "$3"; t_got=$?
    grep -v '^lm-train: warning: ' "$err" >said
    if [ $t_got != "$2" ]; then t_not "$1" "status $t_got, not $2: $3"
    elif [ "$(wc -l <said)" != 1 ] || ! grep -Eqx "lm-train: $4" said; then t_not "$1" "not the message $4: $3"
    else t_ok "$1"; fi
}
steps_of() { (cd "$1" && echo step-*); }

# --- a full disk
T whole 7 -q
parts() { for f in config.json generation_config.json model.safetensors tokenizer.json tokenizer_config.json train.safetensors state.json MANIFEST; do cat "whole/step-00000005/$f" >>sofar; wc -c <sofar; done; }
if [ -e "$ROOT/build/$CONF/shim.so" ]; then
    # F BYTES FREED ARGUMENTS OF T: no space after so many bytes, until FREED writes were refused
    F() { f_bytes=$1 f_freed=$2; shift 2; (LD_PRELOAD=$ROOT/build/$CONF/shim.so FAULT_ENOSPC=$f_bytes FAULT_FREED=$f_freed X "$@"); }
    # the bytes at which each file of the first checkpoint is at its end: the last of each, or nearly so, is refused
    lost=0
    for bytes in $(parts); do
        again
        run "no space for byte $bytes of a checkpoint: the training goes on" 0 "F $((bytes - 1)) 1 r 7 2>msg"
        # a few bytes are those of records, so that it may be a record that is refused
        like '.. the step and the file are told' 'cat msg' '^lm-train: warning: (step [56]: no checkpoint: r/step-0000000[56]\.tmp-[^ :]*: .*: No space left on device; training goes on|r/(metrics|ledger).lm: cannot write the log: it is tried again)$'
        grep -q 'no checkpoint' msg && lost=$((lost + 1))
        run '.. by an event too' 0 '! grep -q "no checkpoint" msg || events r | grep -q ckpt-failed'
        run '.. nothing is left in part' 0 '! ls -d r/*.tmp* 2>/dev/null && lm-ckpt --check r >/dev/null && lm-check r/metrics.lm r/ledger.lm'
        run '.. and it ends as ever' 0 'same r whole'
    done
    run 'most of them cost a checkpoint' 0 '[ $lost -ge 5 ]'
    again
    bad 'the second failure in a row is the end' 5 'F 200000 0 r 9' 'r/step-00000006\.tmp-[^ :]*: io: .*No space left on device'
    is '.. the old checkpoints stand' 'readlink r/latest; steps_of r' 'step-00000004
step-00000001 step-00000002 step-00000003 step-00000004'
    run '.. and with space again it goes on to the same end' 0 'T r 7 2>msg && same r whole'
    again
    bad 'so is that of the last one, tried twice' 5 'F 200000 0 r 5' 'r/step-00000005\.tmp-[^ :]*: io: .*No space left on device'
fi

# --- damaged checkpoints
for f in MANIFEST config.json generation_config.json model.safetensors state.json tokenizer.json tokenizer_config.json train.safetensors; do
    again
    flip r/latest/$f 70
    sum=$(cksum r/latest/$f)
    case $f in MANIFEST) named='[A-Za-z_.]*' ;; *) named=$f ;; esac
    like "a flipped bit in $f is told by file and bytes" 'lm-ckpt --check r' "^r/step-00000004/$named: (corrupt: (bytes 0-[0-9]+ are not what was written|bad line)|missing: )"
    run '.. the one before is gone on from' 0 'T r 7 2>msg && same r whole'
    like '.. which is told' 'cat msg' "^lm-train: warning: r/step-00000004/$named: (corrupt|missing): .*; an older checkpoint is tried\$"
    run '.. and recorded' 0 "events r | grep -a 'ckpt-damaged.*r/step-00000004/'"
    again
    rm -r r/step-0000000[123]
    flip r/latest/$f 70
    bad '.. alone, it is the end' 3 'T r 7' "r/step-00000004/$named: (corrupt|missing): .*"
    is '.. and stays as it is' "cksum r/latest/$f" "$sum"
done
# every byte of MANIFEST in turn, in folders of the same files
again
n=$(wc -c <run/latest/MANIFEST) k=0
while [ $k -lt "$n" ]; do
    at=r/step-$(printf %08d $((1000 + k)))
    mkdir "$at"
    ln r/step-00000004/* "$at"
    rm "$at/MANIFEST"
    cp run/latest/MANIFEST "$at"
    k=$((k + 1))
done
# flips FILE: bit 0 of byte 0 of folder 1000, bit 1 of byte 1 of folder 1001, ..
od -An -v -tu1 -w1 run/latest/MANIFEST | awk '{ b = 2 ^ (NR % 8); c = int($1 / b) % 2 ? $1 - b : $1 + b
    printf "printf \"\\%03o\" | dd of=r/step-%08d/MANIFEST bs=1 seek=%d conv=notrunc 2>/dev/null\n", c, 999 + NR, NR - 1 }' >flips
sh flips
is 'a flipped bit anywhere in MANIFEST is damage' 'lm-ckpt --check r | grep -c "step-00001.*: ok$"' 0
again
sed '/train.safetensors/d' run/latest/MANIFEST >r/latest/MANIFEST
run 'a MANIFEST that lost a line is damage' 0 'T r 7 2>msg && same r whole && grep "r/step-00000004/train.safetensors: corrupt: not listed in MANIFEST; an older" msg'
for cut in 4 900 1; do
    again
    case $cut in 1) size=$(($(wc -c <run/latest/model.safetensors) - 1)) ;; *) size=$cut ;; esac
    head -c "$size" run/latest/model.safetensors >r/latest/model.safetensors
    run "weights cut at $size: an older checkpoint" 0 'T r 7 2>msg && same r whole && grep "r/step-00000004/model.safetensors: truncated: ends at byte '"$size"' of [0-9]*; an older" msg'
done
again
for s in 1 2 3 4; do flip r/step-0000000$s/train.safetensors 5000; done
bad 'none is whole' 3 'T r 7' 'r/step-00000001/train.safetensors: corrupt: .*'
is '.. each is told' 'T r 7 2>&1 | grep -c "step-0000000[234]/train.safetensors: corrupt: .*an older checkpoint is tried"' 3
bad '.. and asked for by its step' 3 'T r 7 --resume 4' 'r/step-00000004/train.safetensors: corrupt: .*'
bad 'a step that is not there' 3 'T r 7 --resume 9' 'r/step-00000009/MANIFEST: missing: .*'

# --- a model that is no model
# odd NAME SED-SCRIPT [FILE [MODEL]]: folder odd is the model with its weights so edited, in place
odd() { rm -rf odd; cp -r "${4:-model}" odd; LC_ALL=C sed "$2" "${4:-model}/${3:-model.safetensors}" >"odd/${3:-model.safetensors}"; m=odd; }
# refused NAME MESSAGE: by the file, and nothing is trained
refused()
{
    rm -rf x
    bad "$1" 3 'T x 2' "odd/$2"
    run '.. before the first step' 0 '[ ! -e x/latest ] && [ ! -s x/metrics.lm ]'
    m=model
}
for cut in 4 900 90000; do
    odd cut ''
    head -c $cut model/model.safetensors >odd/model.safetensors
    refused "weights cut at byte $cut" 'model.safetensors: truncated: .*'
done
odd head 's/"dtype"/"dtyqe"/'
refused 'a damaged table' 'model.safetensors: corrupt: tensor [a-z0-9_.]*: wants dtype, shape and data_offsets'
put() { printf '%b' "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null; }
size=$(wc -c <model/model.safetensors)
odd nan ''; put odd/model.safetensors $((size - 8)) '\0000\0000\0300\0177'
refused 'NaN' 'model.safetensors: invalid: tensor model.norm.weight: value 30 is not finite'
lm-init --layers 1 --dim 32 --heads 2 --ffn 64 --seq 64 --dtype bf16 --vocab tiny.vocab -o half
odd inf '' config.json half; put odd/model.safetensors $(($(wc -c <half/model.safetensors) - 2)) '\0200\0377'
refused 'minus infinity' 'model.safetensors: invalid: tensor model.norm.weight: value 31 is not finite'
odd missing 's/"model.norm.weight"/"model.nrom.weight"/'
refused 'a tensor under another name' 'model.safetensors: invalid: tensor model.norm.weight is missing'
odd shape 's/\("model.layers.1.mlp.up_proj.weight":{"dtype":"F32","shape":\[\)64,32/\132,64/'
refused 'another shape' 'model.safetensors: invalid: tensor model.layers.1.mlp.up_proj.weight is \[32,64\], but has the shape \[64,32\] by config.json'
odd type 's/\("model.norm.weight":{"dtype":"\)F32/\1I32/'
refused 'another type' 'model.safetensors: invalid: tensor model.norm.weight: type I32 is not supported'
odd config 's/"intermediate_size": 64/"intermediate_size": 32/' config.json
refused 'config.json of another model' 'model.safetensors: invalid: tensor model.layers.0.mlp.gate_proj.weight is \[64,32\], but has the shape \[32,32\] by config.json'
odd tied 's/"tie_word_embeddings": false/"tie_word_embeddings": true/' config.json loose
refused 'a head that config.json ties, but another' 'model.safetensors: invalid: lm_head.weight differs from the embedding though config.json ties them'
odd untied 's/"tie_word_embeddings": true/"tie_word_embeddings": false/' config.json
refused 'no head though config.json unties it' 'model.safetensors: invalid: tensor lm_head.weight is missing'
odd extra 's/"num_hidden_layers": 2/"num_hidden_layers": 1/' config.json
refused 'a layer too many' 'model.safetensors: invalid: tensor model.layers.1.[a-z_.]* has no place in the model'
odd moe 's/"model_type": "qwen3"/"model_type": "qwen3_moe"/' config.json
refused 'a family that is not known' 'config.json: invalid: model_type qwen3_moe is not supported'
odd act 's/"hidden_act": "silu"/"hidden_act": "relu"/' config.json
refused 'another activation' 'config.json: invalid: hidden_act is relu, only silu is supported'
odd json '1s/{/[/' config.json
refused 'a config.json that is none' 'config.json: invalid: .*'
lm-init --arch gpt2 --layers 2 --dim 32 --heads 2 --seq 64 --dtype f32 --vocab tiny.vocab -o gpt2
odd trunk 's/"transformer.h.1.ln_1.bias"/"ln_f.bias"                /' model.safetensors gpt2
sed -i 's/"n_layer": 2/"n_layer": 1/' odd/config.json
refused 'a tensor with and without its trunk' 'model.safetensors: invalid: tensor ln_f.bias is also there as transformer.ln_f.bias'

# --- the wrong tokenizer
m=model d=foreign
bad 'shards of another vocabulary' 3 'rm -rf x; T x 2' 'foreign/00000.lm: mismatch: vocab=.*'
d=-
bad '.. a stream' 3 'T x 2 <foreign.toks' 'stdin:0:6: mismatch: vocab=.*'
d=data
bad '.. to validate on' 3 'T x 2 --val foreign' 'foreign/00000.lm: mismatch: vocab=.*'
run '.. nothing was trained' 0 '[ ! -e x/latest ] && [ ! -s x/metrics.lm ]'

# --- another recipe on resume
# drifts NAME OPTION MESSAGE CHANGE: refused with the old value, the new one and the cure; may be allowed, and is recorded
drifts()
{
    again
    bad "$1" 3 "T r 6 $2" "r/step-00000004/(state|config).json: mismatch: $3, or --allow-drift"
    run '.. the old checkpoint stands' 0 'm=model; T r 7 && same r whole'
    again
    run '.. it may be allowed' 0 "T r 6 $2 --allow-drift"
    is '.. and is recorded' 'lm-metrics -q --kind event -k change r/metrics.lm | sed 1d | grep .' "$4"
    run '.. and is the recipe from then on' 0 "T r 7 $2"
}
drifts 'another micro-batch' '--micro 2' 'micro was any, now 2: give the old value \(.any.: rows that make a multiple of 64 tokens\)' 'micro:any->2'
drifts 'longer rows' '--seq 32 --micro 2' 'seq was 16, now 32: give the old value' 'seq:16->32'
drifts 'another optimiser' '--opt adamw' 'opt was muon, now adamw: give the old value' 'opt:muon->adamw'
drifts 'another type' '--dtype f32' 'dtype was bf16, now f32: give the old value' 'dtype:bf16->f32'
d=other
hash=$(grep -ao ' data=[0-9a-f]*' run/metrics.lm | head -n 1 | cut -d = -f 2)
T x2 1 -q
new=$(grep -ao ' data=[0-9a-f]*' x2/metrics.lm | head -n 1 | cut -d = -f 2)
again
bad 'other data' 3 'T r 6' "r/step-00000004/state.json: mismatch: data was $hash, now $new: give the shards the run began with, or --allow-drift"
is '.. may be allowed, and are recorded' 'T r 6 --allow-drift 2>msg; lm-metrics -q --kind event -k change r/metrics.lm | sed 1d | grep .' "data:$hash->$new"
d=data
odd theta 's/"rope_theta": 10000\(.0\)\{0,1\}/"rope_theta": 20000/' config.json
drifts 'other rotary angles' '' 'rope_theta was 10000, now 20000 in odd: use the model the run began with' 'rope_theta:10000->20000'
m=model
for s in 'head_dim 16 32 --head-dim 32' 'intermediate_size 64 96 --ffn 96' 'num_key_value_heads 1 2 --kv-heads 2' 'num_hidden_layers 2 3 --layers 3' 'tie_word_embeddings true false --tie off'; do
    # shellcheck disable=SC2086
    set -- $s
    lm-init --layers 2 --dim 32 --heads 2 --kv-heads 1 --head-dim 16 --ffn 64 --seq 64 --dtype f32 --vocab tiny.vocab "$4" "$5" -o "m-$1"
    m=m-$1
    for allow in '' --allow-drift; do
        again
        bad "another shape: $1 $allow" 3 "T r 6 $allow" "r/step-00000004/config.json: mismatch: $1 was $2, now $3 in m-$1: use the model the run began with, or another folder for the run"
    done
done
m=gpt2
bad 'another family' 3 'T r 6' 'r/step-00000004/config.json: mismatch: model_type was qwen3, now gpt2 in gpt2: .*'
m=model

# --- a stream that is not whole
d=-
S() { T "$@" --ckpt-every 3; }
run 'a stream to its end' 0 'S s 10000 <own.toks'
sed '$d' own.toks >cut.toks
{ cat cut.toks; echo '%abort code=3 tool=lm-tok msg=x'; } >abort.toks
head -c $(($(wc -c <own.toks) / 2)) own.toks >half.toks
for c in cut:3:truncated abort:4: half:3:truncated; do
    f=${c%%:*} st=${c#*:} what=${c##*:} st=${st%:*}
    rm -rf x
    if [ "$st" = 3 ]; then bad "$f: exit 3" 3 "S x 10000 <$f.toks" "stdin:[0-9]*:[0-9]*: $what: .*"
    else run "$f: exit 4" 4 "S x 10000 <$f.toks"; fi
    is '.. no checkpoint of its end' 'echo $(($(readlink x/latest | sed "s/step-0*//") % 3))' 0
    run '.. those before stand' 0 'lm-ckpt --check x >/dev/null && grep -aq "^%abort code='"$st"'" x/metrics.lm'
    run '.. and the whole stream leads on from there to the same end' 0 'S x 10000 <own.toks && same x s'
done
run 'a stream that was cut before a batch was whole' 3 'rm -rf x; head -c 300 own.toks >a; S x 10000 <a'
run '.. has no checkpoint' 0 '[ ! -e x/latest ]'

# --- others, and signals
d=data recipe='--seq 16 --batch-tokens 64 --micro 4 --lr 0.01 --warmup 1 --sched const --ckpt-every 100000'
begun() { n=0; while [ ! -s "$1/ledger.lm" ] && [ $n -lt 600 ]; do sleep 0.05; n=$((n + 1)); done; }
X busy 1000000 -q & p=$!
begun busy
bad 'a second trainer in a run' 5 'T busy 5' 'busy/lock: io: another process works in this run'
run '.. the first is not disturbed' 0 'kill -0 '$p
kill -TERM $p; wait $p
run 'SIGTERM: exit 6' 0 "[ $? = 6 ]"
step=$(readlink busy/latest | sed 's/step-0*//')
run '.. with a checkpoint of the last step' 0 '[ "$(lm-metrics -k step busy/metrics.lm | tail -n 1)" = "$step" ] && lm-ckpt --check busy >/dev/null && lm-check busy/metrics.lm busy/ledger.lm'
run '.. an event' 0 'events busy | grep -q signal'
run '.. resumed, it is the unbroken run' 0 'T busy $((step + 5)) && T calm $((step + 5)) && same busy calm && lm-metrics busy/metrics.lm >a && lm-metrics calm/metrics.lm | cmp - a'
for sig in USR1 INT; do
    X quick 1000000 2>msg & p=$!
    begun quick
    kill -$sig $p; wait $p
    run "SIG$sig: exit 6 too" 0 "[ $? = 6 ]"
    like '.. which is told' 'cat msg' '^lm-train: again: stopped by signal [0-9]*: step-[0-9]{8} is written$'
    rm -rf quick
done
X twice 1000000 & p=$!
begun twice
kill -TERM $p; kill -TERM $p; wait $p
run 'two at once: exit 6, and nothing in part' 0 "[ $? = 6 ] && ! ls -d twice/*.tmp* 2>/dev/null && { [ ! -e twice/latest ] || lm-ckpt --check twice; }"
done_testing
