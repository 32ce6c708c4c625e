#!/bin/sh
# lm-ckpt-avg: means by their arithmetic, whole directories, and refusals by name.
. "${0%/*}/t.sh"
. "$ROOT/tests/tinyrun.sh"
. "$ROOT/tests/st.sh"
tiny_run run 3
a=run/step-00000001 b=run/step-00000002 c=run/step-00000003
same() { lm-ckpt-diff --weights "$1" "$2"; }
run 'three are averaged' 0 'lm-ckpt-avg -o abc $a $b $c'
is 'the result is a whole model directory' 'ls abc' 'MANIFEST
config.json
generation_config.json
model.safetensors
tokenizer.json
tokenizer_config.json'
run '.. as its MANIFEST says' 0 'lm-ckpt --check abc'
run '.. that generates' 0 'printf "def" | lm-import - | lm-gen -q --temp 0 -n 1 --max-tokens 4 -m abc >gen.lm && lm-check gen.lm'
run '.. and trains' 0 'lm-train -q -m abc -o more --seq 16 --batch-tokens 64 --micro 4 --steps 1 data'
run 'a model and itself, of three' 0 'lm-ckpt-avg -o x $a $a $a; same x $a'
run 'a moving average of one model' 0 'lm-ckpt-avg -o ema --ema 0.9 $a $a $a; same ema $a'
run 'alone' 0 'lm-ckpt-avg -o alone $c; same alone $c'
run 'the whole weight on one' 0 'lm-ckpt-avg -o w --weights 0,7,0 $a $b $c; same w $b'
run 'equal weights are none' 0 'lm-ckpt-avg -o w --weights .5,.5,.5 $a $b $c; same w abc'
run 'a moving average is a weighted one' 0 'lm-ckpt-avg -o e --ema 0.5 $a $b $c; lm-ckpt-avg -o w --weights 1,1,2 $a $b $c; same e w'
run '.. and not the mean' 1 'same e abc'
run 'the same bytes by any number of threads' 0 'for j in 1 2 7; do lm-ckpt-avg -j $j -o j$j $a $b $c; done; diff -r j1 j2 && diff -r j1 j7 && diff -r j1 abc'
run 'an average written again' 0 'lm-ckpt-avg -o abc $a $b $c && diff -r abc j1'

# --- by hand
# value NAME DTYPE DATA1 DATA2 WANT [OPTIONS]: the bytes of the mean, in hex
value()
{
    rm -rf p q m
    st1 p "$2" 1 "$3"; st1 q "$2" 1 "$4"
    # shellcheck disable=SC2059
    is "$1" "lm-ckpt-avg ${6-} -o m p q; tail -c $(printf "$3" | wc -c) m/model.safetensors | od -An -tx1 | tr -d ' '" "$5"
}
value '1 and 2 in f32' F32 '\0\0\200\077' '\0\0\0\100' 0000c03f
value '.. in bf16' BF16 '\200\077' '\0\100' c03f
value '.. in f16' F16 '\0\074' '\0\100' 003e
value '.. in f64' F64 '\0\0\0\0\0\0\360\077' '\0\0\0\0\0\0\0\100' 000000000000f83f
value 'a tie goes to even, upwards' BF16 '\201\077' '\202\077' 823f
value '.. and downwards' BF16 '\200\077' '\201\077' 803f
value 'beyond a tie, by less than f32 shows' F64 '\0\0\0\0\0\0\360\077' '\002\0\0\0\0\0\360\077' 010000000000f03f
value 'half of the smallest f16 and the next' F16 '\001\0' '\002\0' 0200
value 'subnormal bf16' BF16 '\002\0' '\004\0' 0300
value 'subnormal into normal' BF16 '\177\0' '\201\0' 8000
value 'the largest' BF16 '\177\177' '\177\177' 7f7f
value 'signs' BF16 '\200\277' '\0\100' 003f
value 'a weight below 0 goes beyond' F32 '\0\0\200\077' '\0\0\0\100' 00004040 '--weights -1,2'
value 'whole numbers that are equal' I32 '\007\0\0\0' '\007\0\0\0' 07000000
fails 'a mean beyond the type' 3 'st1 p BF16 1 "\177\177"; lm-ckpt-avg --weights 3,-1 -o n p q2 2>/dev/null || { st1 q BF16 1 "\177\377"; lm-ckpt-avg --weights 3,-1 -o n p q; }' 'invalid: tensor x: a mean that is not finite'
fails 'nan in a model' 3 'st1 p F32 1 "\0\0\300\177"; st1 q F32 1 "\0\0\200\077"; lm-ckpt-avg -o n p q' 'tensor x: a mean that is not finite'
run '.. leaves nothing' 0 '! ls -d n n.tmp* 2>/dev/null'
mkdir two && echo '{}' >two/config.json
st two/1.safetensors '{"y":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}' '\0\0\200\077'
st two/2.safetensors '{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}' '\0\0\200\077'
echo '{"weight_map":{"x":"2.safetensors","y":"1.safetensors"}}' >two/model.safetensors.index.json
echo x >two/merges.txt; echo x >two/trained.bin
run 'a model in two files becomes one' 0 'lm-ckpt-avg -o one two two; same one two'
is '.. with its other files' 'ls one' 'MANIFEST
config.json
merges.txt
model.safetensors'

# --- what does not fit
no() # NAME STATUS ERE CMD: refused, and nothing is left
{
    fails "$1" "$2" "$4" "$3"
    run '.. nothing is left' 0 '! ls -d n n.tmp* 2>/dev/null'
}
lm-init --layers 3 --dim 32 --heads 2 --kv-heads 1 --head-dim 16 --ffn 64 --seq 64 --vocab tiny.vocab -o deep
lm-init --layers 2 --dim 32 --heads 2 --kv-heads 1 --head-dim 16 --ffn 64 --seq 64 --vocab tiny.vocab -o bf16
lm-init --layers 2 --dim 32 --heads 2 --kv-heads 1 --head-dim 16 --ffn 96 --seq 64 --vocab tiny.vocab -o wide
lm-init --layers 2 --dim 32 --heads 2 --kv-heads 1 --head-dim 16 --ffn 64 --seq 64 --theta 5 --vocab tiny.vocab -o turned
for d in deep wide; do cp bf16/config.json $d/; done
no 'a tensor that is missing' 3 'lm-ckpt-avg: bf16: mismatch: tensor model.layers.2.input_layernorm.weight is missing, which deep has' 'lm-ckpt-avg -o n deep bf16'
no 'a tensor too many' 3 'lm-ckpt-avg: deep: mismatch: tensor model.layers.2.[a-z_.]* is missing in bf16' 'lm-ckpt-avg -o n bf16 deep'
no 'another shape' 3 'lm-ckpt-avg: wide: mismatch: tensor model.layers.0.mlp.gate_proj.weight has another shape than in bf16' 'lm-ckpt-avg -o n bf16 wide'
no 'another type' 3 'lm-ckpt-avg: bf16: mismatch: tensor model.[a-z0-9_.]* is BF16, but F32 in model' 'lm-ckpt-avg -o n model bf16'
no 'another configuration' 3 'lm-ckpt-avg: turned: mismatch: rope_[a-z]* of config.json differs from that of bf16' 'lm-ckpt-avg -o n bf16 turned'
cp -r bf16 voc; sed 's/lo/ol/' bf16/tokenizer.json >voc/tokenizer.json; echo >>voc/tokenizer.json
no 'another vocabulary' 3 'lm-ckpt-avg: voc: mismatch: another vocabulary than that of bf16' 'lm-ckpt-avg -o n bf16 voc'
st1 p I32 1 '\001\0\0\0'; st1 q I32 1 '\002\0\0\0'
no 'other whole numbers' 3 'lm-ckpt-avg: q: mismatch: tensor x holds other whole numbers than in p' 'lm-ckpt-avg -o n p q'
cp -r bf16 hurt; head -c 9000 bf16/model.safetensors >hurt/model.safetensors
no 'a cut file' 3 'hurt/model.safetensors: truncated: ' 'lm-ckpt-avg -o n bf16 hurt'
cp bf16/model.safetensors hurt/; echo '{' >hurt/config.json
no 'config.json that is none' 3 'hurt/config.json: ' 'lm-ckpt-avg -o n bf16 hurt'
no 'too few weights' 2 'weights 1: 1 for 2 directories' 'lm-ckpt-avg -o n --weights 1 $a $b'
no 'too many' 2 'more than the 2 directories' 'lm-ckpt-avg -o n --weights 1,2,3 $a $b'
no 'no numbers' 2 'number 2 is none' 'lm-ckpt-avg -o n --weights 1,x $a $b'
no 'a sum of 0' 2 'sum must be' 'lm-ckpt-avg -o n --weights 1,-1 $a $b'
no 'both' 2 'weights and --ema' 'lm-ckpt-avg -o n --weights 1,1 --ema .5 $a $b'
no 'no name' 2 'o DIR is needed' 'lm-ckpt-avg $a $b'
no 'a full disk' 5 'io: ' '(trap "" XFSZ; ulimit -f 40; lm-ckpt-avg -o n $a $b)'
fails 'a checkpoint is not replaced' 5 'lm-ckpt-avg -o $c $a $b' 'would be lost'
run '.. and is as it was' 0 'lm-ckpt --check run'

# --- killed while it works: many operands take it a while
lm-init --layers 4 --dim 256 --vocab-size 8192 -o big
ops=$(i=0; while [ $i -lt 100 ]; do echo big; i=$((i + 1)); done)
killed() # SIGNAL: the tool is stopped as soon as its folder is there; its status
{
    # shellcheck disable=SC2086
    lm-ckpt-avg -o k $ops & p=$!
    while kill -0 $p 2>/dev/null && ! ls k.tmp-*/config.json >/dev/null 2>&1; do :; done
    kill "-$1" $p 2>/dev/null
    wait $p
}
run 'ended by a signal, it leaves nothing' 0 'killed TERM; [ $? = 143 ] && ! ls -d k k.tmp* 2>/dev/null'
run 'killed at once, it leaves no model by the name' 0 'killed KILL; [ $? = 137 ] && [ ! -e k ]'

skip_without peers:safetensors
cat >mean.py <<'P'
import sys, torch
from safetensors.torch import load_file
out, *rest = [load_file(d + "/model.safetensors") for d in sys.argv[1:-1]]
w = [float(x) for x in sys.argv[-1].split(",")]
for k in out:
    mean = sum(v * m[k].double() for v, m in zip(w, rest)) / sum(w)
    assert torch.equal(mean.to(out[k].dtype), out[k]), k
print(len(out))
P
lm-ckpt-avg -o w --weights 3,2,1 $a $b $c
is 'torch has the same mean' '"$LM_PEERS" mean.py abc $a $b $c 1,1,1 2>/dev/null' 24
is '.. and the same weighted mean' '"$LM_PEERS" mean.py w $a $b $c 3,2,1 2>/dev/null' 24
done_testing
