#!/bin/sh
# GGUF files of lm-ckpt-convert against their readers: the Python package gguf for each tensor, llama.cpp for ids and
# greedy text (pip install llama-cpp-python, a compiler at hand; without it tensors alone); and blocks of every
# quantised type read by lm-ckpt-convert against gguf's own dequantiser.
. "${0%/*}/../t.sh"
skip_without peers:gguf peers:torch peers:safetensors
lm-import -o src.lm "$ROOT/lib/stream" "$ROOT/lib/cli"
lm-bpe-train --vocab-size 1024 src.lm -o vocab
lm-tok --vocab vocab src.lm | lm-pack --seq 64 | lm-shard -o shards
for m in gpt2-f32 llama-f32 qwen2-f32 qwen3-f32 mpt-f32 llama-bf16 qwen3-bf16; do
    arch=${m%-*} dtype=${m#*-}
    case $arch in gpt2 | mpt) kv=4 ffn=256 ;; *) kv=2 ffn=160 ;; esac
    run "$m is trained" 0 "lm-init --arch $arch --layers 2 --dim 64 --heads 4 --kv-heads $kv --ffn $ffn --seq 128 \
        --dtype $dtype --vocab vocab -o $m && lm-train -q -m $m -o run-$m --seq 64 --dtype $dtype --steps 30 \
        --batch-tokens 1024 --lr 6e-3 --eval-every 0 shards"
    if [ "$dtype" = bf16 ]; then # of products of bf16 llama.cpp rounds the other factor as well
        run "$m: gguf reads the same tensors" 0 "lm-ckpt-convert --to gguf run-$m/latest -o $m.gguf &&
            \$LM_PEERS '$ROOT/tests/peer/gguf-model.py' run-$m/latest $m.gguf"
    fi
    run "$m is converted" 0 "lm-ckpt-convert --to gguf --dtype f32 run-$m/latest -o $m.gguf"
    run "$m: gguf and llama.cpp read the same model" 0 "\$LM_PEERS '$ROOT/tests/peer/gguf-model.py' run-$m/latest $m.gguf \
        'int main(void)' '/* a stream: ' 'static int next(lm_in *in' 'return err' '    if (n > 0)'"
    note "$m: $(cat "$out")"
done
run 'what a model lacks of tokens is filled up' 0 "lm-init --arch qwen3 --layers 1 --dim 64 --heads 4 --ffn 64 --seq 128 \
    --vocab vocab --vocab-size 1100 --dtype f32 -o wide && lm-ckpt-convert --to gguf wide -o wide.gguf"
run '.. and read so' 0 "\$LM_PEERS '$ROOT/tests/peer/gguf-model.py' wide wide.gguf 'int main(void)' 'return'"
l3='"factor": 4.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 32, "rope_type": "llama3"'
lin='"factor": 2.0, "rope_type": "linear"'
scaled() # NAME MODEL: a copy of MODEL that scales its angles, as GGUF and back
{
    cp -R "$2/" "$1" && sed -i "s/\"rope_type\": \"default\"/$3/" "$1/config.json" &&
        lm-ckpt-convert "$1" -o "$1.want" && lm-ckpt-convert --to gguf "$1" -o "$1.gguf" &&
        lm-ckpt-convert "$1.gguf" -o "$1.hf" && cmp "$1.want/config.json" "$1.hf/config.json" &&
        cmp "$1.want/model.safetensors" "$1.hf/model.safetensors" && grep -q '"factor"' "$1.hf/config.json"
}
run 'Llama 3 scales its angles' 0 'scaled l3 run-llama-f32/latest "$l3"'
run '.. as llama.cpp does' 0 "\$LM_PEERS '$ROOT/tests/peer/gguf-model.py' l3 l3.gguf 'int main(void)' 'return err' '/* a stream: '"
note "llama3: $(cat "$out")"
run 'angles in steps' 0 'scaled lin run-qwen2-f32/latest "$lin"'
run '.. as llama.cpp has them' 0 "\$LM_PEERS '$ROOT/tests/peer/gguf-model.py' lin lin.gguf 'int main(void)' 'return err'"
cat >quants.py <<'P'
import sys
import gguf, numpy as np
from gguf import GGMLQuantizationType as T
from gguf.quants import dequantize
from safetensors.numpy import load_file
rng = np.random.default_rng(7)
scales = {"Q2_K": (80, 82), "Q3_K": (108,), "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,), "Q4_1": (0, 2), "Q5_1": (0, 2)}
types = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "F16", "BF16"]
shapes = dict(attn_q=(256, 256), attn_k=(128, 256), attn_v=(128, 256), attn_output=(256, 256), ffn_gate=(512, 256),
              ffn_up=(512, 256), ffn_down=(256, 512))
hf = dict(attn_q="self_attn.q_proj", attn_k="self_attn.k_proj", attn_v="self_attn.v_proj", attn_output="self_attn.o_proj",
          ffn_gate="mlp.gate_proj", ffn_up="mlp.up_proj", ffn_down="mlp.down_proj")
def blocks(shape, name):
    if name in ("F16", "BF16"):
        x = (rng.standard_normal(shape).astype(np.float16)).view(np.uint16)
        return x.view(np.uint8).reshape(shape[0], -1) if name == "BF16" else x.view(np.float16)
    size, bytes_ = gguf.GGML_QUANT_SIZES[T[name]]
    x = rng.integers(0, 256, (shape[0], shape[1] // size, bytes_), np.uint8)
    for at in scales.get(name, (0,)):
        x[:, :, at : at + 2] = rng.uniform(-0.1, 0.1, x.shape[:2] + (1,)).astype(np.float16).view(np.uint8)
    return x.reshape(shape[0], -1)
if sys.argv[1] == "make":
    w = gguf.GGUFWriter("q.gguf", "llama")
    for f, v in (("context_length", 64), ("embedding_length", 256), ("block_count", len(types)), ("feed_forward_length", 512),
                 ("head_count", 4), ("head_count_kv", 2), ("layer_norm_rms_eps", 1e-5)):
        getattr(w, "add_" + f)(v)
    w.add_tokenizer_model("none")
    norm = lambda: np.ones(256, np.float32)
    w.add_tensor("token_embd.weight", blocks((320, 256), "Q6_K"), raw_dtype=T.Q6_K)
    for i, t in enumerate(types):
        for k, s in shapes.items():
            w.add_tensor(f"blk.{i}.{k}.weight", blocks(s, t), raw_dtype=T[t])
        w.add_tensor(f"blk.{i}.attn_norm.weight", norm()), w.add_tensor(f"blk.{i}.ffn_norm.weight", norm())
    w.add_tensor("output_norm.weight", norm())
    w.write_header_to_file(), w.write_kv_data_to_file(), w.write_tensors_to_file(), w.close()
else:
    ours, n = load_file("q/model.safetensors"), 0
    def back(x, heads):
        return x.reshape(heads, x.shape[0] // heads // 2, 2, -1).swapaxes(1, 2).reshape(x.shape)
    for t in gguf.GGUFReader("q.gguf").tensors:
        if t.name.startswith("blk.") and "norm" not in t.name:
            _, i, k, _ = t.name.split(".")
            x = dequantize(t.data, t.tensor_type).astype(np.float32)
            x = back(x, 4) if k == "attn_q" else back(x, 2) if k == "attn_k" else x
            y = ours[f"model.layers.{i}.{hf[k]}.weight"]
            assert np.array_equal(x.view(np.uint32), y.view(np.uint32)), t.name
            n += 1
    print(n, "tensors of", len(types), "types")
P
run 'a file of twelve types by gguf' 0 "\$LM_PEERS quants.py make && lm-ckpt-convert --to hf q.gguf -o q"
is '.. is dequantised to the same bits' "\$LM_PEERS quants.py compare" '84 tensors of 12 types'
done_testing
