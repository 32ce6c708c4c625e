"""gen.py MODEL TEXT: 20 prompts cut from TEXT, continued by lm-gen with f32 products and by transformers, both greedy,
64 tokens. Prints how many texts differ and the worst difference of the log-probabilities of the likeliest tokens."""
import json
import subprocess
import sys

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder, text = sys.argv[1:]
tok = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
src = open(text, encoding="utf8").read()
step = len(src) // 20
prompts = [src[i * step : i * step + 60 + 10 * i] for i in range(20)]
with open("prompts.jsonl", "w", encoding="utf8") as f:
    for p in prompts:
        f.write(json.dumps({"text": p}) + "\n")
lines = subprocess.run(
    ["sh", "-c", 'lm-import --text text prompts.jsonl | lm-gen -m "$1" -t doc --load-as f32 --max-tokens 64 --ids --logprobs 3',
     "sh", folder], stdout=subprocess.PIPE, check=True).stdout
runs, at = [], 0
while at < len(lines):
    end = lines.index(b"\n", at)
    head, at = lines[at:end].split(), end + 1
    if head[0][:1] != b"@":
        continue
    body, at = lines[at : at + int(head[1])], at + int(head[1]) + 1
    attr = dict(x.split(b"=", 1) for x in head[2:])
    if head[0] == b"@gen":
        n = int(attr[b"prompt-tokens"])
    elif head[0] == b"@tok":
        ids = np.frombuffer(body[: 2 * int(attr[b"shape"])], np.uint16).tolist()
    elif head[0] == b"@logp":
        shape = [int(x) for x in attr[b"shape"].split(b",")]
        size = 4 * shape[0] * shape[1]
        other = (size + 7) // 8 * 8
        runs.append((n, ids, np.frombuffer(body[:size], np.float32).reshape(shape),
                     np.frombuffer(body[other : other + size], np.uint32).reshape(shape)))
differ, worst = 0, 0.0
for prompt, (n, ids, logp, which) in zip(prompts, runs, strict=True):
    assert tok(prompt, add_special_tokens=False).input_ids == ids[:n], prompt
    x = torch.tensor([ids[:n]])
    with torch.no_grad():
        got = model.generate(x, attention_mask=torch.ones_like(x), max_new_tokens=64, do_sample=False, pad_token_id=0)
        want = torch.log_softmax(model(torch.tensor([ids])).logits[0].double(), -1)
    differ += got[0].tolist() != ids
    for row in range(len(logp)):
        for p, i in zip(logp[row], which[row]):
            worst = max(worst, abs(want[n - 1 + row, int(i)].item() - float(p)))
print(f"{len(runs)} texts, {differ} differ; log p within {worst:.2g}")
sys.exit(differ > 0 or worst > 1e-4)
