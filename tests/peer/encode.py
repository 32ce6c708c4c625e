"""One peer encodes the documents of a stream held in memory, on one thread or on all; prints figures as NAME=VALUE.

    python encode.py PEER VOCAB_JSON DOCS.lm IDS|- PASSES THREADS

PEER is tokenizers, tiktoken, iree, quicktok, gigatoken-batch (a list), gigatoken-each (one call a document) or
gigatoken-whole (one call for all, joined). cold: MB/s of the first pass of this process; warm: of the best later one;
decode: of the ids back to text; load: ms to read the vocabulary; rss: peak MB; base: MB before encoding.
IDS (u32) is what tests/peer/encode.c wrote of the same documents (-w: joined): same=yes, or same=no and where.
Seconds are the processor's with one thread, the wall's with more. Set RAYON_NUM_THREADS and TOKENIZERS_PARALLELISM to
one thread outside where THREADS is 1.
"""

import json
import os
import sys
import tempfile
import time

import numpy

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def documents(path):
    with open(path, "rb") as f:
        for head in iter(f.readline, b""):
            if head[:1] == b"@":
                yield f.read(int(head.split()[1]) + 1)[:-1]


def ranks(path):
    """The ordinary tokens of a tokenizer.json as bytes, their ids and its pattern."""
    with open(path) as f:
        j = json.load(f)
    good = [*range(33, 127), *range(161, 173), *range(174, 256)]
    byte = {chr(b): b for b in good}
    byte.update({chr(256 + i): b for i, b in enumerate(b for b in range(256) if b not in good)})
    pre = j["pre_tokenizer"]
    split = next((p for p in pre.get("pretokenizers", [pre]) if p["type"] == "Split"), None)
    pattern = split["pattern"]["Regex"] if split else GPT2
    return {bytes(byte[c] for c in k): i for k, i in j["model"]["vocab"].items()}, pattern


def load(peer, path, threads):
    """How the peer encodes a list of bytes, decodes what came of it, and its ids of each as arrays."""
    one = threads == 1
    if peer.startswith("gigatoken"):
        from gigatoken import Tokenizer

        with open(path) as f:
            j = json.load(f)
        split = j["pre_tokenizer"].get("pretokenizers", [{}])[0].get("pattern", {})
        if split.get("Regex") == GPT2:  # the same said in the one way it knows
            j["pre_tokenizer"] = {
                "type": "ByteLevel",
                "add_prefix_space": False,
                "trim_offsets": True,
                "use_regex": True,
            }
        tok = Tokenizer.from_json(json.dumps(j))
        if peer == "gigatoken-batch":
            import awkward

            return (
                lambda docs: tok.encode_batch(docs, parallel=not one),
                lambda ids: [tok.decode(i) for i in ids],
                lambda ids: awkward.to_numpy(awkward.flatten(ids)),
                bytes,
            )
        if peer == "gigatoken-each":
            return (
                lambda docs: [tok.encode(d) for d in docs],
                lambda ids: [tok.decode(i) for i in ids],
                numpy.concatenate,
                bytes,
            )
        return lambda docs: tok.encode(docs[0]), tok.decode, lambda ids: ids, bytes
    if peer == "tokenizers":
        from tokenizers import Tokenizer

        tok = Tokenizer.from_file(path)
        return (
            lambda docs: tok.encode_batch_fast(docs, add_special_tokens=False),
            lambda ids: tok.decode_batch([e.ids for e in ids], skip_special_tokens=False),
            lambda ids: numpy.concatenate([numpy.array(e.ids, "u4") for e in ids]),
            str,
        )
    if peer == "tiktoken":
        import tiktoken

        vocab, pattern = ranks(path)
        tok = tiktoken.Encoding("ours", pat_str=pattern, mergeable_ranks=vocab, special_tokens={})
        return (
            lambda docs: (
                [tok.encode_ordinary(d) for d in docs] if one else tok.encode_ordinary_batch(docs, num_threads=threads)
            ),
            lambda ids: [tok.decode_bytes(i) for i in ids],
            lambda ids: numpy.concatenate([numpy.array(i, "u4") for i in ids]),
            str,
        )
    if peer == "iree":
        from iree.tokenizer import Tokenizer

        tok = Tokenizer.from_file(path)
        return (
            lambda docs: [tok.encode(d) for d in docs],
            lambda ids: [tok.decode(i) for i in ids],
            lambda ids: numpy.concatenate([numpy.array(i, "u4") for i in ids]),
            str,
        )
    import quicktok

    folder = tempfile.mkdtemp()
    sys.stdout, keep = sys.stderr, sys.stdout
    quicktok.import_tokenizer(path, "ours", folder)
    sys.stdout = keep
    tok = quicktok.Tokenizer("ours", folder)
    return (
        lambda docs: tok.encode_batch(docs, threads, False),
        lambda ids: [tok.decode(ids[0][a:b]) for a, b in zip(ids[1], ids[1][1:])],
        lambda ids: numpy.asarray(ids[0], "u4"),
        str,
    )


def rss():
    with open("/proc/self/status") as f:
        return next(int(ln.split()[1]) for ln in f if ln.startswith("VmHWM:")) / 1024


peer, vocab, stream, want, passes, threads = sys.argv[1:]
now = time.process_time if threads == "1" else time.perf_counter
docs = list(documents(stream))
if peer == "gigatoken-whole":
    docs = [b"".join(docs)]
size = sum(map(len, docs))
begin = now()
encode, decode, flat, kind = load(peer, vocab, int(threads))
say = {"load": (now() - begin) * 1e3}
if kind is str:
    docs = [d.decode() for d in docs]
say["base"] = rss()
took, ids = [], None
for _ in range(int(passes)):
    ids = None
    begin = now()
    ids = encode(docs)
    took.append(now() - begin)
say["rss"] = rss()
say["cold"] = size / 1e6 / took[0]
say["warm"] = size / 1e6 / min(took[1:] or took)
if want != "-":
    back = []
    for _ in range(max(1, int(passes) - 1)):
        begin = now()
        text = decode(ids)
        back.append(now() - begin)
    say["decode"] = size / 1e6 / min(back)
    ours, theirs = numpy.fromfile(want, "<u4"), flat(ids)
    say["same"] = "yes"
    if not numpy.array_equal(ours, theirs):
        n = min(len(ours), len(theirs))
        k = int(numpy.argmax(ours[:n] != theirs[:n])) if (ours[:n] != theirs[:n]).any() else n
        say["same"] = "no, at %d: %s not %s" % (k, ours[k : k + 4].tolist(), theirs[k : k + 4].tolist())
for k, v in say.items():
    print("%s=%s" % (k, v if isinstance(v, str) else "%.2f" % v))
