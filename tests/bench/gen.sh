#!/bin/sh
# gen.sh: greedy decoding with a random model of the demo's shape: 20 prompts, 64 tokens each, tokens a second.
# The peer is transformers' generate on the same directory, one prompt after another; ids are compared first.
set -u
. "${0%/*}/corpus.sh"

lm-head -n 40 "$t/py.lm" | lm-bpe-train --vocab-size 4096 -o "$t/v" || exit 1
lm-init --layers 4 --dim 256 --ffn 768 --seq 512 --dtype f32 --vocab "$t/v" -o "$t/m" || exit 1
lm-head -n 20 "$t/py.lm" | lm-map 'head -c 200' >"$t/prompts.lm"
gen() { lm-gen -m "$t/m" -t doc --max-tokens 64 --ids "$@" "$t/prompts.lm"; }
gen -j 1 >"$t/want" || exit 1
tokens=$(lm-ls "$t/want" | sed -n 's/^@gen.* tokens=\([0-9]*\).*/\1/p' | awk '{ s += $1 } END { print s }')
per() { awk "BEGIN { printf \"%.0f\", $tokens / $1 }"; }
one=$(per "$(best 3 "gen --batch 1 >$t/out")")
cmp -s "$t/want" "$t/out" || { echo '# the batch changes the text'; exit 1; }
many=$(per "$(best 3 "gen --batch 20 >$t/out")")
cmp -s "$t/want" "$t/out" || { echo '# the batch changes the text'; exit 1; }
cat >"$t/peer.py" <<'E'
import sys, time
import numpy as np, torch
from transformers import AutoModelForCausalLM
folder, stream, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
torch.set_num_threads(threads)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
runs = []
with open(stream, "rb") as f:
    for head in iter(f.readline, b""):
        if head[:1] != b"@":
            continue
        words = head[1:].split()
        body = f.read(int(words[1]) + 1)
        at = dict(w.split(b"=", 1) for w in words[2:])
        if words[0] == b"gen":
            prompt = int(at[b"prompt-tokens"])
        elif words[0] == b"tok":
            ids = np.frombuffer(body[:2 * int(at[b"shape"])], dtype=np.uint16).tolist()
            runs.append((ids[:prompt], ids))
best = 0
for _ in range(2):
    begin, tokens, same = time.time(), 0, 0
    for prompt, want in runs:
        x = torch.tensor([prompt])
        got = model.generate(x, attention_mask=torch.ones_like(x), do_sample=False, pad_token_id=0,
                             max_new_tokens=len(want) - len(prompt), eos_token_id=None)[0].tolist()
        tokens += len(got) - len(prompt)
        same += got == want
    best = max(best, tokens / (time.time() - begin))
print("%.0f %d %d" % (best, same, len(runs)))
E
peer=- theirs=
if [ -x "${LM_PEERS:-}" ] && HF_HUB_OFFLINE=1 "$LM_PEERS" "$t/peer.py" "$t/m" "$t/want" "$(nproc)" >"$t/peer" 2>"$t/err"; then
    read -r theirs same all <"$t/peer"
    peer=transformers
    [ "$same" = "$all" ] || echo "# $((all - same)) of $all greedy texts differ from transformers'"
elif [ -n "${LM_PEERS:-}" ]; then
    echo "# transformers: $(tail -n 1 "$t/err")"
fi
row 'decode 4 M f32, one at a time (goal 4x)' tok/s "$one" $peer "$theirs"
row 'decode 4 M f32, 20 at once' tok/s "$many" $peer "$theirs"
