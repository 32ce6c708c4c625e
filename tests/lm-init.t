#!/bin/sh
# lm-init makes models that others load; equal seeds make equal bytes.
. "${0%/*}/t.sh"
small='--layers 2 --dim 64 --heads 4 --kv-heads 2 --ffn 96 --vocab-size 256 --seq 64'

run 'a model is made' 0 "lm-init $small -o a"
is 'of three files' 'ls a' 'config.json
generation_config.json
model.safetensors'
run 'the same again is the same' 0 "lm-init $small -o b && cmp a/model.safetensors b/model.safetensors && cmp a/config.json b/config.json"
run 'another seed is another' 1 "lm-init $small -s 1 -o b && cmp -s a/model.safetensors b/model.safetensors"
shape() { tr -d ' ,' <"$1/config.json" | grep -E "\"($2)\"" | sort; }
run 'the dial sets the shape' 0 'lm-init --depth 4 --vocab-size 64 -o dial'
is 'layers, width, heads, MLP' 'shape dial "num_hidden_layers|hidden_size|num_attention_heads|num_key_value_heads|head_dim|intermediate_size"' \
'"head_dim":64
"hidden_size":256
"intermediate_size":768
"num_attention_heads":4
"num_hidden_layers":4
"num_key_value_heads":2'
run 'an option stands above the dial' 0 'lm-init --depth 4 --dim 128 --tie off --arch llama --dtype f32 --vocab-size 64 -o part'
is 'as asked' 'shape part "hidden_size|model_type|tie_word_embeddings|dtype"' '"dtype":"float32"
"hidden_size":128
"model_type":"llama"
"tie_word_embeddings":false'
fails 'heads that do not divide are refused' 3 'lm-init --dim 64 --heads 3 --kv-heads 2 --head-dim 32 --vocab-size 64 -o bad' 'num_key_value_heads'
for arch in qwen3 llama qwen2 gpt2 mpt; do
    run "a $arch is made" 0 "lm-init --arch $arch --layers 2 --dim 64 --heads 4 --vocab-size 256 --seq 64 --dtype f32 -o of-$arch"
    like 'and says so' "cat of-$arch/config.json" "\"model_type\": \"$arch\""
done
is 'gpt2 has its own names' 'tr -d " ," <of-gpt2/config.json | grep -E "\"(n_|act|layer_norm|scale)" | sort' '"activation_function":"gelu_new"
"layer_norm_epsilon":1e-05
"n_embd":64
"n_head":4
"n_inner":null
"n_layer":2
"n_positions":64
"scale_attn_weights":true'
is 'and mpt its own' 'tr -d " ," <of-mpt/config.json | grep -E "\"(d_|n_|exp|max|alibi|attn)" | sort' '"alibi":true
"alibi_bias_max":8
"attn_config":{
"attn_type":"multihead_attention"
"d_model":64
"expansion_ratio":4
"max_seq_len":64
"n_heads":4
"n_layers":2'
fails 'gpt2 does not rotate' 2 'lm-init --arch gpt2 --dim 64 --theta 500 -o bad' '--theta'
fails 'mpt shares no key heads' 2 'lm-init --arch mpt --dim 64 --heads 4 --kv-heads 2 -o bad' '--kv-heads'
fails 'an MLP that mpt cannot say is refused' 3 'lm-init --arch mpt --dim 64 --heads 4 --ffn 96 --vocab-size 64 -o bad' 'expansion_ratio'
fails 'heads that do not fill gpt2 are refused' 3 'lm-init --arch gpt2 --dim 64 --heads 3 --vocab-size 64 -o bad' 'n_head'
fails 'a tokenizer that is not there is told' 5 'lm-init --vocab nowhere -o bad' 'nowhere'
run 'and nothing is left' 0 '[ ! -e bad ]'

stream path=a 'int main(void) { return 0; }
' path=b 'int f(int x) { return x + 1; }
' >docs.lm
if [ -x "$BIN/lm-bpe-train" ]; then
    lm-bpe-train --vocab-size 320 --reserve 32 --allow-short -o vocab docs.lm
    run 'a tokenizer travels with the model' 0 'lm-init --layers 1 --dim 64 --vocab vocab -o tok && cmp tok/tokenizer.json vocab/tokenizer.json && cmp tok/tokenizer_config.json vocab/tokenizer_config.json'
    like 'and gives its size' 'cat tok/config.json' '"vocab_size": (320|[0-9]+)'
    fails 'a size below it is refused' 3 'lm-init --layers 1 --dim 64 --vocab vocab --vocab-size 100 -o bad' 'less than the'
fi

skip_without peers:transformers
cat >load.py <<'P'
import sys
from transformers import AutoModelForCausalLM
import torch
m = AutoModelForCausalLM.from_pretrained(sys.argv[1])
w = m.model.layers[0].mlp.gate_proj.weight.float()
r = m.model.layers[0].mlp.down_proj.weight.float()
n = sum(p.numel() for p in m.parameters())
print(type(m).__name__, n, abs(w.std().item() - .02) < .001, abs(r.std().item() - .02 / (2 * len(m.model.layers)) ** .5) < .001,
      abs(w.mean().item()) < .001)
P
is 'transformers loads it; the weights are spread as said' '"$LM_PEERS" load.py a 2>/dev/null' 'Qwen3ForCausalLM 78208 True True True'
is 'and one of each family' '"$LM_PEERS" -c "import transformers
for a in \"qwen3\", \"llama\", \"qwen2\", \"gpt2\", \"mpt\":
    print(type(transformers.AutoModelForCausalLM.from_pretrained(f\"of-{a}\")).__name__)" 2>/dev/null' 'Qwen3ForCausalLM
LlamaForCausalLM
Qwen2ForCausalLM
GPT2LMHeadModel
MptForCausalLM'
is 'a llama with its own head too' '"$LM_PEERS" load.py part 2>/dev/null | cut -d " " -f 1' 'LlamaForCausalLM'
done_testing
