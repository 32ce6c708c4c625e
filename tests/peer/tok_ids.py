"""Ids of lm-tok against PyPI tokenizers, both with the same tokenizer.json.

    python tok_ids.py DOCS.lm IDS.lm TOKENIZER_JSON

IDS.lm is what `lm-tok --special parse --eos off` made of DOCS.lm. Documents that are not UTF-8 have no
counterpart there and are counted. Prints one line; exit 1 at the first other id.
"""
import sys

import numpy
from tokenizers import Tokenizer


def records(path):
    with open(path, "rb") as f:
        for head in iter(f.readline, b""):
            if head[:1] == b"@":
                kind, size, *attrs = head[1:].split()
                body = f.read(int(size) + 1)[:-1]
                yield kind, dict(a.partition(b"=")[::2] for a in attrs), body


docs, ids, path = sys.argv[1:]
tok = Tokenizer.from_file(path)
names, texts, ours, skipped = [], [], [], 0
for (_, attrs, text), (kind, how, body) in zip(records(docs), records(ids), strict=True):
    assert kind == b"tok"
    try:
        texts.append(text.decode())
    except UnicodeDecodeError:
        skipped += 1
        continue
    names.append(attrs.get(b"path", attrs[b"id"]).decode())
    ours.append(numpy.frombuffer(body, {b"u16": "<u2", b"u32": "<u4"}[how[b"dt"]]).tolist())
n = 0
assert texts
for name, text, a, e in zip(names, texts, ours, tok.encode_batch(texts, add_special_tokens=False)):
    if a != e.ids:
        k = next((i for i, (x, y) in enumerate(zip(a, e.ids)) if x != y), min(len(a), len(e.ids)))
        sys.exit("DIFFERS: %s, id %d: %s, not %s" % (name, k, a[k : k + 8], e.ids[k : k + 8]))
    n += len(a)
print("equal: %d ids of %d documents (%d not UTF-8 left out)" % (n, len(ours), skipped))
