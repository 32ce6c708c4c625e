"""infill.py MODEL TEXT: 24 middles cut out of TEXT between any two characters, scored by lm-eval --fim with f32 products
and by transformers: psm, spm, and left to right, where a token that the cut goes through counts by its chance among
those that begin alike. Prints the worst difference of the log-probabilities of a middle."""
import subprocess
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder, path = sys.argv[1:]
tok = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
src = open(path, encoding="ascii").read()
pre_id, mid_id, suf_id = (tok.convert_tokens_to_ids(f"<|fim_{x}|>") for x in ("prefix", "middle", "suffix"))
special = set(tok.all_special_ids) | set(range(pre_id - 1, len(tok)))
texts = [tok.decode([i]) for i in range(len(tok))]
docs = []
for k in range(24):
    at, a, m, b = k * len(src) // 24, 5 + 7 * k, 1 + 3 * k % 50, 4 * k
    docs.append((src[at:at + a], src[at + a:at + a + m], src[at + a + m:at + a + m + b]))


def ids(text):
    return tok(text, add_special_tokens=False).input_ids if text else []


def logp(prompt, rest, known=""):
    with torch.no_grad():
        p = torch.log_softmax(model(torch.tensor([prompt + rest])).logits[0].double(), -1)
    each = [p[len(prompt) - 1 + i, t].item() for i, t in enumerate(rest)]
    if known:
        alike = [i for i in range(len(tok)) if i not in special and texts[i].startswith(known)]
        each[0] -= torch.logsumexp(p[len(prompt) - 1, alike], 0).item()
    return each


def left_to_right(pre, mid):
    enc = tok(pre + mid, add_special_tokens=False, return_offsets_mapping=True)
    first = next(i for i, (_, end) in enumerate(enc.offset_mapping) if end > len(pre))
    return enc.input_ids[:first], enc.input_ids[first:], pre[enc.offset_mapping[first][0]:]


body = b"%lm 1\n"
for pre, mid, suf in docs:
    t = (pre + suf + mid).encode()
    body += b"@doc %d fim=pre:%d,suf:%d,mid:%d\n%s\n" % (len(t), len(pre), len(suf), len(mid), t)
body += b"%%end n=%d b=%d\n" % (len(docs), sum(map(len, sum(docs, ()))))
worst = 0.0
split = 0
for order in ("psm", "spm", "off"):
    out = subprocess.run(["lm-eval", "-m", folder, "--load-as", "f32", "--fim", order, "--each"], input=body,
                         stdout=subprocess.PIPE, check=True).stdout
    have = [dict(x.split("=", 1) for x in line.split()[2:]) for line in out.decode().splitlines() if line.startswith("@doc")]
    for (pre, mid, suf), h in zip(docs, have, strict=True):
        if order == "off":
            prompt, rest, known = left_to_right(pre, mid)
            split += known != ""
            want, end = sum(logp(prompt or [tok.eos_token_id], rest, known)), None
        else:
            psm = [pre_id, *ids(pre), suf_id, *ids(suf), mid_id]
            spm = [pre_id, suf_id, *ids(suf), mid_id, *ids(pre)]
            rest = ids(mid)
            *each, end = logp(psm if order == "psm" else spm, [*rest, tok.eos_token_id])
            want = sum(each)
        assert int(h["tokens"]) == len(rest) and int(h["size"]) == len(mid), (order, h)
        worst = max(worst, abs(want - float(h["logp"])))
        if end is not None:
            worst = max(worst, abs(end - float(h["logp-end"])))
print(f"{len(docs)} middles, three orders, {split} cut in a token: log p within {worst:.2g}")
sys.exit(worst > 1e-3 or not split)
