"""foreign.py has MODULE ..                     prints those that can be imported
foreign.py all FILE                          runs each line of FILE, one of the four below, and prints for each "ok" or "not
                                              ok", its number and a remark
foreign.py gen N IDS EOS VOCAB [empty] >OUT   N sequences of random ids below IDS, each with EOS at its end; empty:
                                              some have none
foreign.py read FORMAT PATH STREAM           the format's own program finds in PATH what STREAM holds
foreign.py write FORMAT STREAM PATH          the format's own program writes PATH from it
foreign.py same STREAM STREAM                both hold the same sequences of ids

A FORMAT may have a variant behind a colon. Modules take seconds to load: hence all."""

import importlib
import os
import shlex
import shutil
import struct
import sys
import traceback
import warnings

import numpy as np

from lmrec import differs, records, token_ids

warnings.filterwarnings("ignore")


class Differs(Exception):
    pass


WIDE = {2: "<u2", 4: "<u4"}


def sequences(path):
    """ids of each record; width of an id; ids of a row or 0; weights or None"""
    out, width, seq = [], 2, 0
    for kind, attrs, body in records(path):
        assert kind == b"tok", kind
        n = int(attrs[b"shape"])
        width = {b"u16": 2, b"u32": 4}[attrs[b"dt"]]
        seq = int(attrs.get(b"seq", 0))
        at = (n * width + 7) // 8 * 8
        weight = list(body[at : at + n]) if b"with" in attrs else None
        out.append((token_ids(attrs, body[: n * width]), weight))
    return out, width, seq


def equal(ours, theirs, what):
    ours = [x[0] for x in ours]
    theirs = [list(map(int, x)) for x in theirs]
    for i, (a, b) in enumerate(zip(ours, theirs)):
        other = differs(a, b)
        if other:
            raise Differs("%s, sequence %d, %s" % (what, i, other))
    if len(ours) != len(theirs):
        raise Differs("%s, %d sequences, not %d" % (what, len(ours), len(theirs)))
    return "equal: %s, %d sequences, %d ids" % (what, len(ours), sum(map(len, ours)))


def flat(ours, theirs, what):
    return equal([(sum((x[0] for x in ours), []), None)], [theirs], what)


# --- MosaicML Streaming


def mds_read(path, variant, ours, width, seq):
    from streaming import LocalDataset, StreamingDataset

    how = "<i%d" % width if variant == "signed" else WIDE[width]
    take = (lambda x: x) if seq else (lambda x: np.frombuffer(x, how))
    ds = LocalDataset(path)
    said = equal(ours, [take(ds[i]["tokens"]) for i in range(len(ds))], "mosaicml-streaming, LocalDataset")
    if variant == "streaming":
        ds = StreamingDataset(local=path, shuffle=False, batch_size=1)
        said = equal(ours, [take(x["tokens"]) for x in ds], "mosaicml-streaming, LocalDataset and StreamingDataset")
    return said


def mds_write(path, variant, ours, width, seq):
    from streaming import MDSWriter

    plain = np.uint16 if width == 2 else np.uint32
    kind, _, more = variant.partition("+")
    how = {
        "": ("bytes", plain),
        "i64": ("bytes", np.int64),
        "ndarray": ("ndarray", np.int32),
        "typed": ("ndarray:int64", np.int64),
        "rows": ("ndarray:uint%d:%d" % (8 * width, seq), plain),
        "wide": ("ndarray:int64:%d" % seq, np.int64),
    }[kind]
    columns, options = {"tokens": how[0]}, {}
    if more == "columns":
        columns.update(a="str", b="int", z="str", length="uint16")
        options = {"hashes": ["sha1", "xxh64"]}
    elif more:
        options = {"compression": more}
    with MDSWriter(out=path, columns=columns, size_limit=4096, **options) as w:
        for i, (ids, _) in enumerate(ours):
            x = np.array(ids, how[1])
            sample = {"tokens": x.tobytes() if how[0] == "bytes" else x}
            if more == "columns":
                sample.update(a="x" * (i % 5), b=i, z="é" * (i % 3), length=len(ids) % 65536)
            w.write(sample)


# --- Megatron-LM


def megatron_read(path, variant, ours, width, seq):
    found = []
    for name in sorted(os.listdir(path)):
        if not name.endswith(".idx"):
            continue
        stem = os.path.join(path, name[:-4])
        if variant == "layout":
            found += megatron_layout(stem)
            continue
        from megatron.core.datasets.indexed_dataset import IndexedDataset

        ds = IndexedDataset(stem)
        assert ds.document_indices.tolist() == list(range(len(ds) + 1))
        found += [np.array(ds[i]) for i in range(len(ds))]  # copies: the file is unmapped with ds
        # ids of one call are those of many
        assert np.array_equal(np.concatenate(ds[0 : len(ds)]), np.concatenate(found[-len(ds) :]))
    return equal(ours, found, "the layout Megatron-LM documents" if variant else "megatron-core")


def megatron_layout(stem):
    with open(stem + ".idx", "rb") as f:
        idx = f.read()
    with open(stem + ".bin", "rb") as f:
        data = f.read()
    assert idx[:9] == b"MMIDIDX\0\0" and struct.unpack("<Q", idx[9:17]) == (1,)
    code, n, docs = struct.unpack("<BQQ", idx[17:34])
    dtype = {8: "<u2", 4: "<i4"}[code]
    lengths = np.frombuffer(idx, "<i4", n, 34)
    places = np.frombuffer(idx, "<i8", n, 34 + 4 * n)
    ends = np.frombuffer(idx, "<i8", docs, 34 + 12 * n)
    assert len(idx) == 34 + 12 * n + 8 * docs and ends.tolist() == list(range(n + 1))
    return [np.frombuffer(data, dtype, k, at) for k, at in zip(lengths, places)]


def megatron_write(path, variant, ours, width, seq):
    os.makedirs(path)
    stem = os.path.join(path, "00000")
    dtype = np.uint16 if width == 2 else np.int32
    if variant == "datatrove":
        from datatrove.pipeline.tokens.megatron_tokenizer import MegatronTokenizedFile

        f = MegatronTokenizedFile(path, "00000", token_size=width)
        for ids, _ in ours:
            f.write(ids)
        f.close()
        return
    import torch
    from megatron.core.datasets.indexed_dataset import IndexedDatasetBuilder

    if variant == "int64":
        dtype = np.int64
    b = IndexedDatasetBuilder(stem + ".bin", dtype=dtype)
    for ids, _ in ours:
        if variant == "sentences":  # a document of several sequences
            cuts = sorted({0, len(ids) // 3, len(ids) // 2, len(ids)})
            b.add_document(torch.tensor(ids, dtype=torch.int64), [y - x for x, y in zip(cuts, cuts[1:])] or [0])
        else:
            b.add_item(torch.tensor(ids, dtype=torch.int64))
            b.end_document()
    b.finalize(stem + ".idx")


# --- llm.c: no package; the layout of its data_common.py and dataloader.h

LLMC = {2: (20240520, 1), 4: (20240801, 7)}


def llmc_read(path, variant, ours, width, seq):
    found = []
    for name in sorted(os.listdir(path)):
        with open(os.path.join(path, name), "rb") as f:
            head = np.frombuffer(f.read(1024), "<i4")
            ids = np.frombuffer(f.read(), WIDE[width])
        assert tuple(head[:2]) == LLMC[width] and head[2] == len(ids) and not head[3:].any()
        found += ids.tolist()
    return flat(ours, found, "the layout of llm.c")


def llmc_write(path, variant, ours, width, seq):
    os.makedirs(path)
    ids = sum((x[0] for x in ours), [])
    third = len(ids) // 3 + 1  # cut within documents, as its scripts do
    for k in range(3):
        part = np.array(ids[k * third : (k + 1) * third], WIDE[width])
        head = np.zeros(256, "<i4")
        head[:3] = *LLMC[width], len(part)
        with open(os.path.join(path, "train_%06d.bin" % k), "wb") as f:
            f.write(head.tobytes() + part.tobytes())


# --- datatrove


def datatrove_read(path, variant, ours, width, seq):
    from datatrove.io import get_datafolder
    from datatrove.pipeline.tokens.merger import DocumentTokenizerMerger
    from datatrove.tools.check_dataset import load_dataset_bytes, load_doc_ends
    from datatrove.utils.dataset import DatatroveFolderDataset

    losing = any(w for _, w in ours)
    for turn in "files", "files and merged":
        folder, found, losses = get_datafolder(path), [], []
        for name in folder.list_files(glob_pattern="*.ds"):
            ends = load_doc_ends(folder.open(name + ".index", "rb"))
            found += [np.frombuffer(x, WIDE[width]) for x in load_dataset_bytes(folder.open(name, "rb"), ends, width)]
            if losing:
                losses += [list(x) for x in load_dataset_bytes(folder.open(name + ".loss", "rb"), ends, 1)]
        said = equal(ours, found, "datatrove, %s" % turn)
        if losing and losses != [w or [1] * len(ids) for ids, w in ours]:
            raise Differs("losses")
        if turn == "files":
            ds = DatatroveFolderDataset(path, 7, filename_pattern="*.ds", token_size=width, return_positions=True)
            got, at = [], 0
            for name in folder.list_files(glob_pattern="*.ds"):
                ids = np.fromfile(os.path.join(path, name), WIDE[width])
                got += ids[: len(ids) // 8 * 8].reshape(-1, 8).tolist()
            for row, item in zip(got, range(len(ds))):
                if ds[item]["input_ids"].tolist() != row:
                    raise Differs("row %d of DatatroveFolderDataset" % item)
            assert len(ds) == len(got)
            shutil.rmtree("merged", ignore_errors=True)
            DocumentTokenizerMerger(
                path, "merged", "all", max_tokens_per_file=2000, shuffle=False, save_loss_metadata=losing, progress=False
            ).run()
            path = "merged"
    return said + (", losses" if losing else "")


def datatrove_write(path, variant, ours, width, seq):
    from datatrove.pipeline.tokens.tokenizer import TokenizedFile

    os.makedirs(path)
    step = len(ours) if variant == "one" else len(ours) // 3 + 1
    for k in range(0, len(ours), step):
        part = ours[k : k + step]
        f = TokenizedFile(
            path, "%05d.ds" % (k // step), save_loss_metadata=variant == "loss", tokenizer_name_or_path="some/name",
            save_final_metadata=True, token_size=width)
        for ids, w in part:
            f.write(ids, np.array(w or [1] * len(ids), bool) if variant == "loss" else None)
        f.close()
        if variant == "old":  # of before the size of an id was told
            name = os.path.join(path, "%05d.ds.metadata" % (k // step))
            with open(name) as g:
                text = g.read()
            with open(name, "w") as g:
                g.write(text.replace("|%d\n" % width, "\n"))


# --- NumPy


def npy_read(path, variant, ours, width, seq):
    a = np.load(path)
    assert a.dtype == WIDE[width]
    if seq:
        return equal(ours, a, "numpy, rows")
    return flat(ours, a, "numpy")


def npy_write(path, variant, ours, width, seq):
    kind, _, version = variant.partition("+")
    a = np.array([x[0] for x in ours]) if seq else np.concatenate([x[0] for x in ours])
    a = a.astype({"": WIDE[width], "i4": "<i4", "i8": "<i8"}[kind])
    with open(path, "wb") as f:
        np.lib.format.write_array(f, a, version=(int(version or 1), 0))


def raw_read(path, variant, ours, width, seq):
    return flat(ours, np.fromfile(path, WIDE[width]), "numpy.fromfile")


def raw_write(path, variant, ours, width, seq):
    np.concatenate([x[0] for x in ours]).astype("<i8" if variant else WIDE[width]).tofile(path)


def gen(count, ids, eos, vocab, empty=""):
    rng = np.random.default_rng(int(count))
    dt, width = ("u16", 2) if int(ids) <= 65536 else ("u32", 4)
    out, n, size = sys.stdout.buffer, 0, 0
    out.write(b"%lm 1\n")
    for i in range(int(count)):
        k = 0 if empty and i % 7 == 3 else 3000 if i == 11 else int(rng.integers(1, 60))
        x = rng.integers(0, int(ids), k)
        x[x == int(eos)] = 0
        x[k - 1 :] = int(eos)
        body = x.astype(WIDE[width]).tobytes()
        more, n, size = "", n + 1, size
        if empty == "weights" and i % 3 == 1 and k:
            body += bytes(-len(body) % 8) + rng.integers(0, 2, k).astype("u1").tobytes()
            more = " with=weight:u8:%d" % k
        out.write(b"@tok %d dt=%s shape=%d vocab=%s%s\n%s\n" % (len(body), dt.encode(), k, vocab.encode(), more.encode(), body))
        size += len(body)
    out.write(b"%%end n=%d b=%d\n" % (n, size))


def one(verb, *args):
    if verb == "same":
        ours, theirs = sequences(args[0])[0], sequences(args[1])[0]
        said = equal(ours, [x[0] for x in theirs], "what came back")
        if len(args) > 2 and [w or [1] * len(x) for x, w in ours] != [w or [1] * len(x) for x, w in theirs]:
            raise Differs("weights")
        return said
    kind, _, variant = args[0].partition(":")
    if verb == "read":
        return globals()[kind + "_read"](args[1], variant, *sequences(args[2]))
    assert verb == "write"
    globals()[kind + "_write"](args[2], variant, *sequences(args[1]))
    return "written"


def importable(name):
    try:
        importlib.import_module(name)
    except Exception:  # whatever a package does when it is loaded
        return False
    return True


verb, *args = sys.argv[1:]
if verb == "gen":
    gen(*args)
elif verb == "has":
    print(*filter(importable, args))
else:
    for i, line in enumerate(open(args[0]), 1):
        try:
            print("ok", i, one(*shlex.split(line)), flush=True)
        except Exception as e:
            at = traceback.extract_tb(e.__traceback__)[-1]
            print("not ok", i, type(e).__name__, str(e).replace("\n", " ")[:300], "%s:%d" % (at.filename, at.lineno), flush=True)
