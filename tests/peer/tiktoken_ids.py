"""Ids of lm-tok against PyPI tiktoken, its Encoding built from a list of ranks.

    python tiktoken_ids.py DOCS.lm IDS.lm LIST.tiktoken

LIST.json beside the list has pattern and special tokens, as lm-vocab-convert writes it. IDS.lm is what `lm-tok
--eos off` made of DOCS.lm. Documents that are not UTF-8 have no counterpart there and are counted. Prints one
line; exit 1 at the first other id.
"""
import base64
import json
import sys

import tiktoken
from lmrec import compare

docs, ids, path = sys.argv[1:]
with open(path, "rb") as f:
    ranks = {base64.b64decode(token): int(rank) for token, rank in map(bytes.split, f)}
with open(path.removesuffix(".tiktoken") + ".json") as f:
    meta = json.load(f)
enc = tiktoken.Encoding(
    meta["name"],
    pat_str=meta["pat_str"],
    mergeable_ranks=ranks,
    special_tokens=meta["special_tokens"],
    explicit_n_vocab=meta.get("explicit_n_vocab"),
)
compare(docs, ids, lambda texts: [enc.encode_ordinary(t.decode()) for t in texts])
