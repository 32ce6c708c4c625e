"""Ids of lm-tok against the peers, all with the same tokenizer.json.

    python ids.py DOCS.lm IDS.lm TOKENIZER_JSON PEER ..

IDS.lm is what `lm-tok --special text --eos off` made of DOCS.lm. PEER:
tokenizers  Hugging Face's, its added tokens taken out, for they would be found in plain text
tiktoken    an Encoding of the same tokens by id, if the pattern is one regular expression
bytes       for what is not UTF-8 and so nothing for the two: pretokens by the package `regex`, split after split, over
            characters of which each stray byte is one (a lone surrogate: no letter, number or space); the bytes of
            each are merged by tiktoken alone
ids:FILE    of one document, u32, as tests/peer/encode.c wrote them
Prints a line for each; exit 1 at the first other id, 2 if a peer has no form of this pattern.
"""

import json
import sys

from hfjson import patterns, tiktoken
from lmrec import compare


def encoder(peer, config):
    if peer.startswith("ids:"):
        import numpy

        return lambda docs: [numpy.fromfile(peer[4:], "<u4")]
    if peer == "tokenizers":
        from tokenizers import Tokenizer

        tok = Tokenizer.from_str(json.dumps({**config, "added_tokens": []}))
        return lambda docs: [e.ids for e in tok.encode_batch_fast([d.decode() for d in docs], add_special_tokens=False)]
    if peer == "tiktoken":
        if len(patterns(config)) > 1:
            print("tiktoken: no form of this pattern")
            sys.exit(2)
        enc = tiktoken(config, patterns(config)[0])
        return lambda docs: [enc.encode_ordinary(d.decode()) for d in docs]
    import regex

    enc, splits = tiktoken(config, "."), [regex.compile(p) for p in patterns(config)]

    def cut(rx, piece):
        at = 0
        for m in rx.finditer(piece):
            if m.start() > at:
                yield piece[at : m.start()]
            if m.end() > m.start():
                yield m.group()
            at = m.end()
        if at < len(piece):
            yield piece[at:]

    def one(body):
        pieces = [body.decode(errors="surrogateescape")] if body else []
        for rx in splits:
            pieces = [c for p in pieces for c in cut(rx, p)]
        return [i for p in pieces for i in enc._encode_single_piece(p.encode(errors="surrogateescape"))]

    return lambda docs: [one(d) for d in docs]


docs, ids, path, *peers = sys.argv[1:]
with open(path) as f:
    config = json.load(f)
words = {i: t for t, i in config["model"]["vocab"].items()}
for peer in peers:
    compare(docs, ids, encoder(peer, config), text=False, who=peer, words=words)
