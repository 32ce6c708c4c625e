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

import numpy

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def records(path):
    with open(path, "rb") as f:
        for head in iter(f.readline, b""):
            if head[:1] == b"@":
                kind, size, *attrs = head[1:].split()
                yield dict(a.partition(b"=")[::2] for a in attrs), f.read(int(size) + 1)[:-1]


def steps(pre):
    """The patterns of the splits, in turn."""
    out = []
    for p in pre.get("pretokenizers", [pre]):
        if p["type"] == "Split":
            assert p["behavior"] == "Isolated" and not p["invert"]
            out.append(p["pattern"]["Regex"])
        elif p["type"] == "Digits":
            out.append(r"\p{N}" if p["individual_digits"] else r"\p{N}+")
        elif p["use_regex"]:
            out.append(GPT2)
    return out


def ranks(vocab):
    good = [*range(33, 127), *range(161, 173), *range(174, 256)]
    byte = {chr(b): b for b in good}
    byte.update({chr(256 + i): b for i, b in enumerate(b for b in range(256) if b not in good)})
    return {bytes(byte[c] for c in k): i for k, i in vocab.items()}


def tiktoken(config, pattern):
    import tiktoken

    return tiktoken.Encoding(
        "ours", pat_str=pattern, mergeable_ranks=ranks(config["model"]["vocab"]), special_tokens={}
    )


def encoder(peer, config):
    patterns = steps(config["pre_tokenizer"])
    if peer.startswith("ids:"):
        return lambda docs: [numpy.fromfile(peer[4:], "<u4").tolist()]
    if peer == "tokenizers":
        from tokenizers import Tokenizer

        tok = Tokenizer.from_str(json.dumps({**config, "added_tokens": []}))
        return lambda docs: [e.ids for e in tok.encode_batch_fast([d.decode() for d in docs], add_special_tokens=False)]
    if peer == "tiktoken":
        if len(patterns) > 1:
            print("tiktoken: no form of this pattern")
            sys.exit(2)
        enc = tiktoken(config, patterns[0])
        return lambda docs: [enc.encode_ordinary(d.decode()) for d in docs]
    import regex

    enc, splits = tiktoken(config, "."), [regex.compile(p) for p in patterns]

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


def batches(docs, size=4000000):
    out, n = [], 0
    for d in docs:
        out.append(d)
        n += len(d)
        if n > size:
            yield out
            out, n = [], 0
    if out:
        yield out


docs, ids, path, *peers = sys.argv[1:]
with open(path) as f:
    config = json.load(f)
texts = [body for _, body in records(docs)]
ours = [numpy.frombuffer(body, {b"u16": "<u2", b"u32": "<u4"}[how[b"dt"]]) for how, body in records(ids)]
assert texts and len(texts) == len(ours)
for peer in peers:
    encode = encoder(peer, config)
    theirs = (b for batch in batches(texts) for b in encode(batch))
    for k, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        if len(a) != len(b) or (a != b).any():
            a = a.tolist()
            at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
            vocab = {i: t for t, i in config["model"]["vocab"].items()}
            sys.exit(
                "DIFFERS from %s: document %d, id %d: %s, not %s"
                % (peer, k, at, [vocab.get(i) for i in a[at : at + 6]], [vocab.get(i) for i in b[at : at + 6]])
            )
    print(
        "%s: %d ids of %d documents, %d bytes, all equal" % (peer, sum(map(len, ours)), len(ours), sum(map(len, texts)))
    )
