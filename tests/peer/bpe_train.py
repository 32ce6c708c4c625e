"""Merges of lm-bpe-train against PyPI tokenizers on the same documents.

    python bpe_train.py DOCS.lm PATTERN SIZE lines|whole TOKENIZER_JSON ..

Trains Hugging Face's BPE with the same pattern and number of tokens (line mode: train(files); whole documents:
an iterator) and compares alphabet, merges and ids with TOKENIZER_JSON; loads and re-saves that file and
compares bytes. Of several files the largest is trained, and the smaller ones are its first merges, as the trainer
only stops earlier for them. Prints one line for each, seconds and peak MB of theirs; exit 1 if any differs.
"""
import json
import os
import sys
import tempfile
import time

import hftrain
from lmrec import documents

docs, pattern, size, mode = sys.argv[1:5]
raws = {}
for path in sys.argv[5:]:
    with open(path, "rb") as f:
        raws[path] = f.read()
ours = max((json.loads(raw) for raw in raws.values()), key=lambda t: len(t["model"]["vocab"]))
texts = [body.decode() for body in documents(docs)]
assert texts


def run(tok, trainer):
    if mode != "lines":
        tok.train_from_iterator(texts, trainer)
        return
    with tempfile.TemporaryDirectory() as d:
        files = [os.path.join(d, str(i)) for i in range(len(texts))]
        for name, text in zip(files, texts):
            with open(name, "w", encoding="utf-8", newline="") as f:
                f.write(text)
        tok.train(files, trainer)


began = time.time()
theirs = hftrain.train(hftrain.regex(ours), len(ours["model"]["vocab"]), run)
print("seconds %.3f" % (time.time() - began))
with open("/proc/self/status") as f:
    print("peak %.0f" % (next(int(ln.split()[1]) for ln in f if ln.startswith("VmHWM:")) / 1024))

bad = 0


def say(good, what):
    global bad
    bad |= not good
    print("%s %s %s %s: %s" % ("equal" if good else "DIFFERS", pattern, size, mode, what))


def first(a, b):
    return next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))


for path, raw in raws.items():
    model = json.loads(raw)["model"]
    a = [list(m) for m in model["merges"]]
    b = [list(m) for m in theirs["merges"]][: len(a) if len(raws) > 1 else None]
    say(a == b, "%d merges" % len(a) if a == b else "merges %d and %d, the first other one is %d" % (len(a), len(b), first(a, b)))
    ids = {t: i for t, i in theirs["vocab"].items() if len(raws) == 1 or i < len(model["vocab"])}
    say(model["vocab"] == ids, "%d ids" % len(ids))
    say(hftrain.saves_the_same(raw), "re-saved bytes")
sys.exit(bad)
