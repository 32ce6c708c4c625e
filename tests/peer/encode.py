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

import hfjson
import numpy
from lmrec import differs, documents


def config(path):
    with open(path) as f:
        return json.load(f)


def load(peer, path, threads):
    """How the peer encodes a list of bytes, decodes what came of it, and its ids of each as arrays."""
    one = threads == 1
    if peer.startswith("gigatoken"):
        from gigatoken import Tokenizer

        j = config(path)
        split = j["pre_tokenizer"].get("pretokenizers", [{}])[0].get("pattern", {})
        if split.get("Regex") == hfjson.GPT2:  # the same said in the one way it knows
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
        j = config(path)
        tok = hfjson.tiktoken(j, hfjson.patterns(j)[0])
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
    other = differs(numpy.fromfile(want, "<u4"), flat(ids))
    say["same"] = "no, " + other if other else "yes"
for k, v in say.items():
    print("%s=%s" % (k, v if isinstance(v, str) else "%.2f" % v))
