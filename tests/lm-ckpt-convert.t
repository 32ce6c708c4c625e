#!/bin/sh
# lm-ckpt-convert: there and back through each form with the same bits, values by hand, and refusals by name.
. "${0%/*}/t.sh"
. "$ROOT/tests/tinymodel.sh"
for arch in gpt2 llama qwen2 qwen3; do
    case $arch in gpt2) more='--kv-heads 2 --ffn 192' ;; *) more= ;; esac
    # shellcheck disable=SC2086
    tiny_model $arch --arch $arch $more --dim 48 --head-dim 24
done
tiny_model mpt --arch mpt --kv-heads 2 --ffn 64
tiny_model half --arch llama --dtype bf16
same() { lm-ckpt-diff "$1" "$2" >/dev/null && cmp "$1/config.json" "$2/config.json" && cmp "$1/tokenizer.json" "$2/tokenizer.json"; }
for m in gpt2 llama qwen2 qwen3 mpt half; do
    run "$m to GGUF" 0 "lm-ckpt-convert --to gguf -o $m.gguf $m"
    run '.. and back: tensors, config.json and tokenizer.json are the same' 0 "lm-ckpt-convert -o back.$m $m.gguf && same $m back.$m"
    run ".. and the whole of it by name" 0 "lm-ckpt --check back.$m"
done
for m in gpt2 llama qwen2 qwen3 mpt; do
    run "$m to NumPy and back" 0 "lm-ckpt-convert --to npy -o $m.npy $m && lm-ckpt-convert -o n.$m $m.npy && same $m n.$m"
done
run 'gpt2 to llm.c and back' 0 'lm-ckpt-convert --to llmc -o gpt2.bin gpt2 && lm-ckpt-convert --vocab gpt2 -o l.gpt2 gpt2.bin &&
    lm-ckpt-diff gpt2 l.gpt2 && cmp gpt2/tokenizer.json l.gpt2/tokenizer.json'
is '.. whose head is that of version 3' 'od -An -v -w32 -td4 -N32 gpt2.bin | tr -s " "' \
    " 20240326 3 64 $(sed -n 's/.*"vocab_size": \([0-9]*\).*/\1/p' gpt2/config.json) 2 2 48 896"
run '.. in bf16' 0 'lm-ckpt-convert --to llmc --dtype bf16 -o h.bin gpt2 && lm-ckpt-convert -o h.gpt2 h.bin &&
    lm-ckpt-convert --dtype bf16 -o want gpt2 && lm-ckpt-diff want h.gpt2 && [ $(od -An -td4 -j4 -N4 h.bin) = 5 ]'
run 'all the way round' 0 'lm-ckpt-convert --to llmc -o r.bin gpt2.gguf && cmp r.bin gpt2.bin &&
    lm-ckpt-convert --to npy -o r.npy --vocab gpt2 r.bin && lm-ckpt-convert --to gguf -o r.gguf r.npy &&
    lm-ckpt-convert -o r r.gguf && lm-ckpt-diff gpt2 r'
run 'GGUF to GGUF keeps the heads in order' 0 'lm-ckpt-convert --to gguf -o g2.gguf llama.gguf && cmp g2.gguf llama.gguf'
is 'the greedy text is that of the model' 'for m in llama back.llama; do printf def | lm-import - | lm-gen -q --temp 0 -m $m --max-tokens 12 | heads; done | uniq | wc -l' 1
run 'a tokenizer of fewer ids than the model has rows' 0 'lm-init --arch llama --layers 1 --dim 32 --heads 2 --ffn 32 --seq 32 --vocab tiny.vocab --vocab-size 900 -o wide &&
    lm-ckpt-convert --to gguf -o wide.gguf wide && lm-ckpt-convert -o back.wide wide.gguf && same wide back.wide'
run 'a model without a vocabulary' 0 'lm-init --arch llama --layers 1 --dim 32 --heads 2 --ffn 32 --seq 32 --vocab-size 64 -o bare && lm-ckpt-convert --to gguf -o bare.gguf bare &&
    lm-ckpt-convert -o back.bare bare.gguf && lm-ckpt-diff bare back.bare && cmp bare/config.json back.bare/config.json && [ ! -e back.bare/tokenizer.json ]'
run '.. may be given one' 0 'rm -f wide/tokenizer*.json; lm-ckpt-convert --to gguf --vocab tiny.vocab -o v.gguf wide &&
    lm-vocab-convert -o v v.gguf && cmp v/tokenizer.json tiny.vocab/tokenizer.json'

# --- types
dt() { lm-ckpt-convert "$@" -o d && grep -ao '"dtype":"[A-Z0-9]*"' d/model.safetensors | sort | uniq -c | tr -s ' '; }
is 'a model of bf16 stays so' 'dt half' ' 20 "dtype":"BF16"'
is '.. by way of GGUF, where vectors are f32' 'dt half.gguf' ' 20 "dtype":"BF16"'
is '.. which can be told' 'dt --dtype f32 half.gguf; grep -c "\"dtype\": \"float32\"" d/config.json' ' 20 "dtype":"F32"
1'
is 'f16' 'dt --dtype f16 llama; grep -c "\"dtype\": \"float16\"" d/config.json' ' 20 "dtype":"F16"
1'
is 'NumPy has no bf16: f32' 'lm-ckpt-convert --to npy -o h.npy half && head -c 60 h.npy/model.norm.weight.npy | grep -ao "<f." && lm-ckpt-convert --dtype bf16 -o hb h.npy && lm-ckpt-diff half hb | tail -n 1 | grep -o "20 the same"' '<f4
20 the same'
is 'half of a bf16 model and one f32 value between' 'lm-ckpt-convert --to npy -o m.npy half && printf "\1\0\200\77" | dd of=m.npy/model.norm.weight.npy bs=1 seek=128 conv=notrunc 2>/dev/null && dt m.npy' ' 20 "dtype":"F32"'
fails '--dtype bf16 for NumPy' 2 'lm-ckpt-convert --to npy --dtype bf16 -o x half' 'NumPy has no such type'
fails '--dtype f16 for llm.c' 2 'lm-ckpt-convert --to llmc --dtype f16 -o x gpt2' 'llm.c reads f32 and bf16'
# shellcheck disable=SC2059 # what printf makes of it
poke() { cp -R gpt2.npy p.npy && printf "$1" | dd of=p.npy/transformer.wpe.weight.npy bs=1 seek=$((128 + 4 * 7)) conv=notrunc 2>/dev/null; }
fails 'a value beyond f16' 3 'poke "\0\044\164\110"; lm-ckpt-convert --dtype f16 -o x p.npy' 'p.npy: invalid: tensor transformer.wpe.weight: 250000 is beyond what f16'
fails 'a value that is not finite' 3 'rm -r p.npy; poke "\0\0\200\177"; lm-ckpt-convert -o x p.npy' 'p.npy: invalid: tensor transformer.wpe.weight holds a value that is not finite'
run '.. leaves nothing' 0 '! ls -d x x.tmp* 2>/dev/null'

# --- what a form cannot say
edit() { rm -rf e && cp -R "$1" e && sed -i "$2" e/config.json; }
fails 'llm.c has gpt2 alone' 3 'lm-ckpt-convert --to llmc -o x qwen3' 'qwen3: invalid: llm.c has no qwen3 models'
fails '.. with its own epsilon' 3 'edit gpt2 "s/\"layer_norm_epsilon\": [^,]*/\"layer_norm_epsilon\": 0.001/"; lm-ckpt-convert --to llmc -o x e' 'layer_norm_epsilon other than'
fails '.. that scales its scores' 3 'edit gpt2 "s/\"scale_attn_weights\": true/\"scale_attn_weights\": false/"; lm-ckpt-convert --to llmc -o x e' 'scale_attn_weights false'
fails 'llama.cpp too' 3 'lm-ckpt-convert --to gguf -o x e' 'e: invalid: scores are scaled by 1: llama.cpp has none'
fails 'a soft cap of the scores' 3 'edit mpt "s/\"prefix_lm\": false/\"prefix_lm\": false, \"attn_logit_softcapping\": 30.0/"; lm-ckpt-convert --to gguf -o x e' 'attn_logit_softcapping: llama.cpp has none in arch mpt'
fails 'a window' 3 'edit qwen2 "s/\"use_sliding_window\": false/\"use_sliding_window\": true, \"sliding_window\": 8, \"max_window_layers\": 1/"; lm-ckpt-convert --to gguf -o x e' 'use_sliding_window: llama.cpp has no window'
run 'a norm of q and k in mpt comes back' 0 'edit mpt "s/\"clip_qkv\": null/\"clip_qkv\": 1.5/"; lm-ckpt-convert --to gguf -o e.gguf e && lm-ckpt-convert -o e.back e.gguf && cmp e/config.json e.back/config.json && grep -q "clip_qkv.: 1.5" e.back/config.json'
l3='"factor": 8.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 64, "rope_type": "llama3"'
run 'the scaling of Llama 3' 0 'edit llama "s/\"rope_type\": \"default\"/$l3/"; lm-ckpt-convert -o l3 e; lm-ckpt-convert --to gguf -o l3.gguf l3; lm-ckpt-convert -o l3.back l3.gguf && same l3 l3.back && grep -q llama3 l3.back/config.json'
is '.. is found from its factors' "LC_ALL=C sed 's/lm.config.json/no.config.json/' l3.gguf >l3b.gguf && lm-ckpt-convert -o l3.found l3b.gguf && sed -n '/rope_param/,/}/p' l3.found/config.json" "$(sed -n '/rope_param/,/}/p' l3/config.json 2>/dev/null)"
run '.. to the same bits' 0 'lm-ckpt-convert --to gguf -o l3c.gguf l3.found && lm-ckpt-diff l3 l3.found'
fails '.. but not from others' 3 'at=$(LC_ALL=C grep -abo rope_freqs.weight l3b.gguf | cut -d: -f1); size=$(wc -c <l3b.gguf); cp l3b.gguf bad.gguf; printf "\0\0\100\100" | dd of=bad.gguf bs=1 seek=$((size - 64 + 4 * 4)) conv=notrunc 2>/dev/null; lm-ckpt-convert -o x bad.gguf' 'rope_freqs.weight: which rotary scaling'

# --- damage
sed 's/"hidden_size": 48/"hidden_size": 40/' llama.gguf >bad.gguf
fails 'keys and config.json that differ' 3 'lm-ckpt-convert -o x bad.gguf' 'bad.gguf: mismatch: lm.config.json and the keys beside it differ: the width'
sed 's/llama.block_count/llama.block_scale/' llama.gguf >bad.gguf
fails 'a key that might change the model' 3 'lm-ckpt-convert -o x bad.gguf' 'bad.gguf: invalid: key llama.block_scale is not known'
sed 's/blk.1.ffn_up/blk.1.ffn_uq/' llama.gguf >bad.gguf
fails 'a tensor of another name' 3 'lm-ckpt-convert -o x bad.gguf' 'bad.gguf: invalid: tensor blk.1.ffn_up.weight is missing'
sed 's/output_norm.weight/output_norn.weight/' llama.gguf >bad.gguf
fails 'an arch of no family' 3 'sed s/general.architecture/general.architecturf/ llama.gguf >bad.gguf; lm-ckpt-convert -o x bad.gguf' 'general.architecture  is not supported'
size=$(wc -c <llama.gguf)
fails 'a GGUF file that was cut' 3 'head -c $((size - 9000)) llama.gguf >bad.gguf; lm-ckpt-convert -o x bad.gguf' 'truncated: GGUF'
size=$(wc -c <gpt2.bin)
for n in 3 1023 1024 5000 $((size - 1)); do
    fails "llm.c cut at $n" 3 "head -c $n gpt2.bin >bad.bin; lm-ckpt-convert -o x bad.bin" 'bad.bin: (truncated|invalid)'
done
fails 'llm.c with more behind it' 3 'cp gpt2.bin bad.bin; printf x >>bad.bin; lm-ckpt-convert -o x bad.bin' 'bad.bin: corrupt: 1 bytes behind'
# shellcheck disable=SC2059
put() { cp gpt2.bin bad.bin; printf "$2" | dd of=bad.bin bs=1 seek=$(($1 * 4)) conv=notrunc 2>/dev/null; lm-ckpt-convert -o x bad.bin; }
fails 'llm.c of another version' 3 'put 1 "\4"' 'bad.bin: version: version 4 of llm.c'
fails '.. no heads' 3 'put 5 "\0"' 'bad.bin: invalid: n_head is 0'
fails '.. heads of no whole size' 3 'put 5 "\7"' 'bad.bin: invalid: n_embd 48 is not n_head 7'
fails '.. 2^31 layers' 3 'put 4 "\0\0\0\200"' 'bad.bin: invalid: n_layer'
fails '.. fewer rows than tokens' 3 'put 7 "\1\0"' 'rows for a vocabulary'
arr() { rm -rf p.npy; cp -R llama.npy p.npy; f=p.npy/model.norm.weight.npy; eval "$1"; lm-ckpt-convert -o x p.npy; }
fails 'an array that is missing' 3 'arr "rm \$f"' 'model.norm.weight.npy is missing'
fails '.. one too many' 3 'arr "cp \$f p.npy/other.npy"' 'other.npy: invalid: has no place'
fails '.. one under two names' 3 'rm -rf p.npy; cp -R gpt2.npy p.npy; cp p.npy/transformer.ln_f.bias.npy p.npy/ln_f.bias.npy; lm-ckpt-convert -o x p.npy' 'under another name too'
fails '.. of another shape' 3 'arr "cp p.npy/model.layers.0.mlp.up_proj.weight.npy \$f"' 'not of the shape'
fails '.. of whole numbers' 3 'arr "sed -i s/f4/i4/ \$f"' 'values of type <i4'
fails '.. cut' 3 'arr "truncate -s -1 \$f"' 'truncated: fewer bytes'
fails '.. with more behind it' 3 'arr "echo >>\$f"' 'corrupt: more bytes'
fails '.. in Fortran order' 3 'arr "sed -i s/False,/True,\ / p.npy/model.embed_tokens.weight.npy"' 'in Fortran order'
fails 'a folder of neither' 3 'mkdir none && cp llama/config.json none && lm-ckpt-convert -o x none' 'holds neither model.safetensors nor arrays'
fails 'a file of no model' 3 'lm-ckpt-convert -o x tiny.vocab/tokenizer.json' 'is no model'
fails 'a model that is not there' 5 'lm-ckpt-convert -o x nosuch' 'nosuch: io: '
fails 'a vocabulary too large' 3 'lm-ckpt-convert --to gguf --vocab tiny.vocab -o x bare' 'mismatch: a vocabulary of 8[0-9]* tokens, but the model has 64 rows'
fails 'a vocabulary beside its own' 2 'lm-ckpt-convert --to gguf --vocab tiny.vocab -o x llama' '--vocab: llama has a vocabulary of its own'
fails '--vocab for llm.c' 2 'lm-ckpt-convert --to llmc --vocab tiny.vocab -o x gpt2.bin' 'holds none'
fails 'no -o' 2 'lm-ckpt-convert llama' 'no -o OUT'
run 'nothing is left of all that' 0 '! ls -d x x.tmp* 2>/dev/null'

skip_without peers:numpy peers:safetensors
cat >npy.py <<'P'
import os, sys
import numpy as np
from safetensors.numpy import load_file
want = load_file(sys.argv[1] + "/model.safetensors")
for k, v in want.items():
    x = np.load(f"{sys.argv[2]}/{k}.npy")
    assert x.dtype == v.dtype and x.flags.c_contiguous and np.array_equal(x, v), k
print(len(want))
P
cat >llmc.py <<'P'
# the tensors in the order and the layout of llm.c's write_tensors, of a torch Linear [outputs, inputs]
import sys
import numpy as np
from safetensors.numpy import load_file
w = load_file(sys.argv[1] + "/model.safetensors")
raw = open(sys.argv[2], "rb").read()
head, x = np.frombuffer(raw, "<i4", 256), np.frombuffer(raw, "<f4", offset=1024)
_, _, T, V, L, _, C, Vp = head[:8]
wte = x[: Vp * C].reshape(Vp, C)
assert Vp % 128 == 0 and np.array_equal(wte[:V], w["transformer.wte.weight"]) and not wte[V:].any()
x = x[Vp * C :]
order = [["transformer.wpe.weight"]]
for n in ("ln_1.weight", "ln_1.bias", "attn.c_attn.weight", "attn.c_attn.bias", "attn.c_proj.weight", "attn.c_proj.bias",
          "ln_2.weight", "ln_2.bias", "mlp.c_fc.weight", "mlp.c_fc.bias", "mlp.c_proj.weight", "mlp.c_proj.bias"):
    order.append([f"transformer.h.{i}.{n}" for i in range(L)])
for n in sum(order, []) + ["transformer.ln_f.weight", "transformer.ln_f.bias"]:
    t = w[n].T if ".h." in n and w[n].ndim == 2 else w[n]
    assert np.array_equal(x[: t.size].reshape(t.shape), t), n
    x = x[t.size :]
print(len(x), len(w))
P
is 'a checkpoint of llm.c holds the tensors in its order' '"$LM_PEERS" llmc.py gpt2 gpt2.bin' '0 28'
is 'NumPy reads the arrays' '"$LM_PEERS" npy.py gpt2 gpt2.npy' 28
done_testing
