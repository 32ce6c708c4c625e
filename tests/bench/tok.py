#!/usr/bin/env python3
"""tok.py: encoding and decoding beside the fastest peers, the library alone and whole processes.

Text is read and the vocabulary loaded before the clock starts, for all; ids are compared first, and a peer that gives
others is told and still timed. Runs take turns, ours and theirs, and the best of BENCH_TURNS (5) counts: cold is the
first pass of a fresh process, warm the best later pass of one. Seconds of one thread are the processor's, so that
other work on the machine does not count. Peak MB is that of the whole process, the text and a peer's Python included.
The vocabularies are learnt from every other document of a corpus, the rest is measured: 32,768 tokens of code, 65,536
of everything for CJK and emoji, GPT-2's own for prose if a package has it.

Limits. encode: 11 cycles a pretoken, which 45-50 instructions take at 4.5 a cycle, at the clock of a chain of
additions (`encode limits`), times the threads; none is known where few pretokens come again (CJK, emoji). decode: one
token a cycle, 16 bytes of it loaded and stored, and no faster than memcpy moves memory. t(2n)/t(n) of linear time: 2.
Threads: as many as there are. A whole process: its own encoder or decoder alone.

BENCH_ONLY="code prose cjk js emoji linear whole start" chooses among the parts. All take some four minutes.
"""

import os
import random
import subprocess
import sys
import tempfile
import time

sys.path.append(os.path.join(os.environ["ROOT"], "tests", "peer"))
import lmrec

ROOT, TURNS = os.environ["ROOT"], int(os.environ.get("BENCH_TURNS", "5"))
PARTS = "code prose cjk js emoji linear whole start".split()
ONLY = os.environ.get("BENCH_ONLY", " ".join(PARTS)).split()
BUILD = os.path.join(ROOT, "build", os.environ.get("CONF", "release"))
ENCODE, PEER, PY = BUILD + "/peer/encode", ROOT + "/tests/peer/", os.environ.get("LM_PEERS", "")
CORES = os.cpu_count()
ONE = {"RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"}
T = tempfile.TemporaryDirectory()
os.chdir(T.name)


def row(what, unit, ours, peer="-", theirs="", limit="", mb="", peer_mb=""):
    show = [
        f"{v:.{1 if v >= 100 else 2}f}" if isinstance(v, float) else str(v) for v in (ours, theirs, limit, mb, peer_mb)
    ]
    print(what, unit, show[0], peer, *show[1:], sep="\t", flush=True)


def remark(text):
    print("#", text, flush=True)


def run(*args, env=None, limit=600, **kw):
    """What it printed as NAME=VALUE; None, with a remark, if it failed or took too long."""
    try:
        p = subprocess.run(args, env={**os.environ, **(env or {})}, capture_output=True, text=True, timeout=limit, **kw)
    except subprocess.TimeoutExpired:
        remark(f"{' '.join(args)[-100:]}: more than {limit} s")
        return None
    if p.returncode:
        remark(f"{' '.join(args)[-100:]}: {(p.stderr.strip() or '?').splitlines()[-1][:200]}")
        return None
    pairs = (ln.split("=", 1) for ln in p.stdout.splitlines() if "=" in ln)
    return {k: float(v) if v[:1].isdigit() else v for k, v in pairs}


def write(path, docs):
    with open(path, "wb") as f:
        lmrec.write(f, docs)


def head(docs, size):
    """The first documents, about size bytes."""
    out, n = [], 0
    for d in docs:
        if n + len(d) <= size or not out:
            out.append(d)
            n += len(d)
    return out


def corpus(kind, mb):
    """KIND.lm, to measure, and a list of the other documents, to learn from; None if it is not installed."""
    with open("all.lm", "wb") as f:
        p = subprocess.run(["python3", PEER + "corpus.py", kind, str(2 * mb)], stdout=f, stderr=subprocess.PIPE)
    if p.returncode:
        remark(p.stderr.decode().strip())
        return None
    docs = list(lmrec.documents("all.lm"))
    write(kind + ".lm", docs[::2])
    write(kind + "-3.lm", head(docs[::2], 3e6))
    return docs[1::2]


def learn(name, docs, *args):
    if os.path.exists(name):
        return
    write("learn.lm", docs)
    subprocess.run(["lm-bpe-train", "-q", "-o", name, *args, "learn.lm"], check=True)
    os.remove("learn.lm")


def best(runs, key):
    return max((r[key] for r in runs if r), default="")


def ours(vocab, stream, passes=4, threads=1, *more):
    r = run(ENCODE, "-j", str(threads), *more, vocab, stream, str(passes))
    if not r:
        sys.exit("tok.py: the encoder failed")
    return r


def peer(name, vocab, stream, ids="-", passes=4, threads=1, limit=120):
    if not PY:
        return None
    path = vocab if vocab.endswith(".json") else vocab + "/tokenizer.json"
    return run(
        PY,
        PEER + "encode.py",
        name,
        path,
        stream,
        ids,
        str(passes),
        str(threads),
        env=ONE if threads == 1 else {},
        limit=limit,
    )


bad = False


def same(name, vocab, stream, own):
    """Compares ids; own: ours must be right: the oracles'."""
    global bad
    ours(vocab, stream, 1, 1, "-o", "ids", *(["-w"] if name.endswith("whole") else []))
    r = peer(name, vocab, stream, "ids", 1)
    if r and r["same"] != "yes":
        remark(f"{name} gives other ids on {stream}: {r['same']}")
        bad = bad or own
    return r


def duel(kind, vocab, names, goals, threads=1, turns=TURNS):
    """Rows of encoding KIND: ours against the faster of the entries of one peer. Returns ours."""
    stream, title = kind + ".lm", names[0].split("-")[0]
    mine, theirs = [], []
    for _ in range(turns):
        mine.append(ours(vocab, stream, 4, threads))
        theirs += [peer(n, vocab, stream, threads=threads) for n in names]
    theirs = [r for r in theirs if r]
    size = mine[0]["bytes"] / 1e6
    limit = (
        LIMITS["clock"] * 1e3 * threads * mine[0]["bytes"] / mine[0]["pretokens"] / 11
        if kind in ("code", "prose", "js")
        else ""
    )
    for temp in ("cold", "warm"):
        at = max(theirs, key=lambda r: r[temp], default=None)
        row(
            f"encode {kind} {size:.0f} MB, {temp}"
            + (f", {threads} threads" if threads > 1 else "")
            + goals.get(temp, ""),
            "MB/s",
            best(mine, temp),
            title if at else "-",
            at[temp] if at else "",
            limit,
            mine[0]["rss"],
            at["rss"] if at else "",
        )
    return mine


def slow(kind, vocab, name, goal):
    """A peer that takes a while: 3 MB, warm."""
    stream = kind + "-3.lm"
    first = same(name, vocab, stream, name in ("tokenizers", "tiktoken"))
    mine, theirs = [], [first]
    for _ in range(2):
        mine.append(ours(vocab, stream))
        theirs.append(peer(name, vocab, stream, passes=2))
    row(
        f"encode {kind} 3 MB, warm{goal}",
        "MB/s",
        best(mine, "warm"),
        name if first else "-",
        best(theirs, "warm"),
        "",
        mine[0]["rss"],
        theirs[-1]["rss"] if theirs[-1] else "",
    )
    return first["decode"] if first else 0, name


def decode(kind, vocab, slower):
    """Rows of decoding: against tokenizers, and against the fastest of all."""
    mine, theirs = [], []
    ours(vocab, kind + ".lm", 1, 1, "-o", "ids")
    for _ in range(3):
        mine.append(ours(vocab, kind + ".lm"))
        for n in ("gigatoken-each", "quicktok"):
            r = peer(n, vocab, kind + ".lm", "ids", 3)
            theirs.append((r["decode"] if r else 0, n.split("-")[0]))
    limit = min(LIMITS["copy"], LIMITS["clock"] * 1e3 * mine[0]["bytes"] / mine[0]["ids"])
    fast = max(theirs + slower)
    row(f"decode {kind} (goal 1x)", "MB/s", best(mine, "decode"), fast[1] if fast[0] else "-", fast[0] or "", limit)
    hf = next((d for d, n in slower if n == "tokenizers" and d), "")
    row(f"decode {kind} (goal 50x)", "MB/s", best(mine, "decode"), "tokenizers" if hf else "-", hf, limit)


def linear(what, letter, vocab, n):
    """One line of n bytes and one of twice as many."""
    write("n.lm", [letter(n)])
    write("2n.lm", [letter(2 * n)])
    took = {}
    for name in ("ours", "gigatoken-whole"):
        t = {"n": [], "2n": []}
        for _ in range(min(TURNS, 3)):
            for size, runs in t.items():
                mult = 1 if size == "n" else 2
                r = (
                    ours(vocab, size + ".lm", 1)
                    if name == "ours"
                    else peer(name, vocab, size + ".lm", passes=1, limit=20)
                )
                if r:
                    runs.append(mult * n / 1e6 / r["cold"])
        took[name] = min(t["2n"]) / min(t["n"]) if t["n"] and t["2n"] else ""
    row(
        f"{what}, {n / 1e6:.0f} and {2 * n / 1e6:.0f} MB (goal <2.2)",
        "t/t",
        took["ours"],
        "gigatoken" if took["gigatoken-whole"] else "-",
        took["gigatoken-whole"],
        2.0,
    )


def process(*args, env=None):
    """Wall seconds of a process that writes to nowhere."""
    begin = time.perf_counter()
    pid = os.posix_spawnp(
        args[0],
        args,
        {**os.environ, **(env or {})},
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)],
    )
    if os.waitpid(pid, 0)[1]:
        sys.exit(f"tok.py: {args[0]} failed")
    return time.perf_counter() - begin


def peak(*args, env=None):
    """Its peak MB."""
    p = subprocess.run(
        [BUILD + "/tests/probe", "rss", *args], env={**os.environ, **(env or {})}, capture_output=True, check=True
    )
    return int(p.stdout) / 1024


END_TO_END = """
import sys
from gigatoken import Tokenizer
from lmrec import documents
docs = list(documents(sys.argv[2]))
tok = Tokenizer(sys.argv[1])
ids = [tok.encode(d) for d in docs] if sys.argv[3] == "1" else tok.encode_batch(docs, parallel=True)
if sys.argv[3] == "1":
    for i in ids:
        sys.stdout.buffer.write(i.astype("u2").tobytes())
else:
    import awkward
    sys.stdout.buffer.write(awkward.to_numpy(awkward.flatten(ids)).astype("u2").tobytes())
"""


def whole(kind, vocab):
    """Rows of whole processes: a file in, ids out to nowhere."""
    learn(vocab, sets[kind])
    runs = [ours(vocab, kind + ".lm") for _ in range(min(TURNS, 3))]
    alone = {k: best(runs, k) for k in ("cold", "warm", "decode")}
    docs = list(lmrec.documents(kind + ".lm"))
    write("8.lm", docs * 8)
    size = sum(map(len, docs)) / 1e6
    with open("back.lm", "wb") as f:
        subprocess.run(["lm-tok", "--vocab", vocab, "8.lm"], stdout=f, check=True)
    have = PY and subprocess.run([PY, "-c", "import gigatoken"], capture_output=True).returncode == 0
    theirs = [PY, "-c", END_TO_END, vocab + "/tokenizer.json"]
    path = {"PYTHONPATH": PEER}
    jobs = {
        "once": (["lm-tok", "-j", "1", "--vocab", vocab, kind + ".lm"], {}),
        "one": (["lm-tok", "-j", "1", "--vocab", vocab, "8.lm"], {}),
        "all": (["lm-tok", "-j", str(CORES), "--vocab", vocab, "8.lm"], {}),
        "detok": (["lm-detok", "-j", "1", "--vocab", vocab, "back.lm"], {}),
    }
    if have:
        jobs.update(
            {
                "peer once": (theirs + [kind + ".lm", "1"], {**ONE, **path}),
                "peer one": (theirs + ["8.lm", "1"], {**ONE, **path}),
                "peer all": (theirs + ["8.lm", str(CORES)], path),
            }
        )
    os.sync()  # or the kernel writes those files out meanwhile, on a core of its own
    t = {name: [] for name in jobs}
    for _ in range(min(TURNS, 3)):
        for name, (args, env) in jobs.items():
            t[name].append(process(*args, env=env))
    mem = {name: peak(*args, env=env) for name, (args, env) in jobs.items()}

    def rate(name, mb):
        return mb / min(t[name]) if name in t else ""

    p = "gigatoken" if have else "-"
    row(
        f"lm-tok, {size:.0f} MB to ids, 1 thread",
        "MB/s",
        rate("once", size),
        p,
        rate("peer once", size),
        alone["cold"],
        mem.get("once", ""),
        mem.get("peer once", ""),
    )
    row(
        f"lm-tok, {8 * size:.0f} MB to ids, 1 thread",
        "MB/s",
        rate("one", 8 * size),
        p,
        rate("peer one", 8 * size),
        alone["warm"],
        mem.get("one", ""),
        mem.get("peer one", ""),
    )
    row(
        f"lm-tok, {8 * size:.0f} MB to ids, {CORES} threads",
        "MB/s",
        rate("all", 8 * size),
        p,
        rate("peer all", 8 * size),
        CORES * alone["warm"],
        mem.get("all", ""),
        mem.get("peer all", ""),
    )
    row(
        f"lm-tok, {CORES} threads over 1" + (" (goal 1.85x)" if CORES == 2 else ""),
        "MB/s",
        rate("all", 8 * size),
        "ours -j 1",
        rate("one", 8 * size),
        CORES * rate("one", 8 * size),
    )
    row(
        f"lm-detok, {8 * size:.0f} MB from ids, 1 thread",
        "MB/s",
        rate("detok", 8 * size),
        "-",
        "",
        alone["decode"],
        mem.get("detok", ""),
    )


def start(vocab, name, goal):
    write("none.lm", [])
    runs = [process("lm-tok", "-j", "1", "--vocab", vocab, "none.lm") for _ in range(3 * TURNS)]
    write("little.lm", [b"a"])
    theirs = [peer(n, vocab, "little.lm", passes=1) for n in ("gigatoken-each", "tokenizers")]
    fast = min(((r["load"], n) for r, n in zip(theirs, ("gigatoken", "tokenizers")) if r), default=("", "-"))
    row(
        f"lm-tok start-up, {name} (goal <{goal})",
        "ms",
        1e3 * min(runs),
        f"{fast[1]} load" if fast[0] else "-",
        fast[0],
        "",
        peak("lm-tok", "-j", "1", "--vocab", vocab, "none.lm"),
    )


def code():
    learn("code32", sets["code"])
    for n in ("gigatoken-whole", "gigatoken-each", "quicktok"):
        same(n, "code32", "code.lm", False)
    duel("code", "code32", ["gigatoken-whole", "gigatoken-batch"], {"cold": " (goal 2x)", "warm": " (goal 1.4x)"})
    duel("code", "code32", ["quicktok"], {"warm": " (goal 4x)"}, turns=min(TURNS, 2))
    if CORES > 1:
        duel("code", "code32", ["gigatoken-batch"], {}, CORES, min(TURNS, 3))
    peers = (("tokenizers", " (goal 100x)"), ("tiktoken", " (goal 30x)"), ("iree", " (goal 8x)"))
    decode("code", "code32", [slow("code", "code32", n, goal) for n, goal in peers])


def prose():
    vocab = "gpt2.json"
    if not PY or subprocess.run([PY, PEER + "ranks.py", "gpt2", vocab], capture_output=True).returncode:
        remark("no package has GPT-2's ranks: prose is measured with a vocabulary of its own, pattern gpt2")
        vocab = "gpt2.dir"
        learn(vocab, sets["prose"], "--pretok", "gpt2", "--vocab-size", "50304")
    same("gigatoken-whole", vocab, "prose.lm", False)
    duel("prose", vocab, ["gigatoken-whole", "gigatoken-batch"], {"cold": " (goal 1.2x)"})


def other(kind):
    """CJK, JavaScript, emoji."""
    if not os.path.exists("all64"):
        learn("all64", [d for docs in sets.values() for d in head(docs, 6e6)], "--vocab-size", "65536")
    goals = {"cold": " (goal 2x)", "warm": " (goal 2x)"} if kind == "cjk" else {}
    same("gigatoken-whole", "all64", kind + ".lm", False)
    duel(kind, "all64", ["gigatoken-whole", "gigatoken-batch"], goals, turns=min(TURNS, 3))


def letters():
    rnd = random.Random(1)
    learn("code32", sets["code"])
    linear("one letter over and over", lambda n: b"a" * n, "code32", 4000000)
    linear("a line of random letters", lambda n: bytes(rnd.choices(range(97, 123), k=n)), "code32", 4000000)


def starts():
    learn("code32", sets["code"])
    start("code32", "32k", 30)
    learn("all150", [d for docs in sets.values() for d in docs], "--vocab-size", "151936", "--allow-short")
    start("all150", "150k", 150)


LIMITS = run(ENCODE, "limits")
sets = {k: corpus(k, mb) for k, mb in (("code", 24), ("prose", 16), ("cjk", 7), ("js", 10), ("emoji", 4))}
sets = {k: docs for k, docs in sets.items() if docs}
needs = {"linear": "code", "whole": "code", "start": "code"}
parts = {"code": code, "prose": prose, "linear": letters, "whole": lambda: whole("code", "code32"), "start": starts}
for part in PARTS:
    if part in ONLY and needs.get(part, part) in sets:
        parts.get(part, lambda: other(part))()
sys.exit(bad)
