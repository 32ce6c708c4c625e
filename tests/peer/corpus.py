"""Text to measure and compare tokenizers on, as a stream of documents, from what Debian packages install.

    python3 corpus.py code|prose|cjk|js|emoji|mixed|bytes|utf8 MEGABYTES [EXCEPT] >OUT.lm

code   Go's library (golang-1.19-src), Python's, C headers, some 220 MB; of more, the same again with other letters for
       letters, so that words go on being new
prose  English: an encyclopedic dictionary (dict-gcide), the hackers' jargon file (jargon-text)
cjk    Chinese and Japanese: manual pages (manpages-zh, manpages-ja), help and handbooks less their tags
       (libreoffice-help-zh-cn, debian-reference-zh-cn, debian-reference-ja); lines that are at least half CJK
js     minified or generated JavaScript (libjs-mathjax, libjs-three, ..): lines of 400 bytes on average or more
emoji  sentences with the sequences of emoji-test.txt (unicode-data), from a fixed seed
mixed  all of these, as much of each as there is, whole again until the size is reached; kind= tells of which a
       document is
bytes, utf8   random, from a fixed seed; EXCEPT is a list of characters to leave out, one a line, in hex (newer.py)
Everything but bytes is valid UTF-8. Exit 1, with a word on stderr, if fewer than 200 kB are at hand.
"""

import glob
import gzip
import itertools
import os
import random
import re
import string
import sys

from lmrec import write


def files(*patterns):
    for pattern in patterns:
        for path in sorted(glob.glob(pattern, recursive=True)):
            if os.path.isfile(path) and not os.path.islink(path):
                with (gzip.open if path.endswith(("gz", "dz")) else open)(path, "rb") as f:
                    data = f.read()
                if path.endswith(".dz"):  # a few lines of it are of another age
                    data = data.decode(errors="ignore").encode()
                try:
                    data.decode()
                except UnicodeDecodeError:
                    continue
                if data and b"\0" not in data:
                    yield data


def code():
    go = [p + "/src/**/*.go" for p in sorted(glob.glob("/usr/share/go-1.*"))[-1:]]
    lib = ["%s/**/*.py" % p for p in sorted(glob.glob("/usr/lib/python3.*"))[-1:]]
    return turns(files(*go), files(*lib), files("/usr/include/**/*.h"))


def renamed():
    small, large = string.ascii_lowercase, string.ascii_uppercase
    for n in range(26):
        turned = small[n:] + small[:n] + large[n:] + large[:n]
        to = bytes.maketrans((small + large).encode(), turned.encode())
        for doc in code():
            yield doc.translate(to)


def prose():
    """Paragraphs, each in one line."""
    for data in files("/usr/share/dictd/gcide.dict.dz", "/usr/share/doc/jargon-text/jargon.txt.gz"):
        text = [b" ".join(p.split()) for p in data.split(b"\n\n")]
        for i in range(0, len(text), 100):
            yield b"\n\n".join(text[i : i + 100]) + b"\n"


def cjk():
    wide = re.compile("[\u3000-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef]")
    tags = re.compile(r"<(script|style).*?</\1>|<[^>]*>", re.S)
    html = files(
        "/usr/share/debian-reference/*.zh-cn.html",
        "/usr/share/debian-reference/*.ja.html",
        "/usr/share/libreoffice/help/zh-CN/text/**/*.html",
    )
    pages = files("/usr/share/man/zh_CN/man*/*", "/usr/share/man/ja/man*/*")
    for data in itertools.chain((tags.sub("", d.decode()) for d in html), (d.decode() for d in pages)):
        lines = [ln + "\n" for ln in map(str.strip, data.split("\n")) if len(wide.findall(ln)) * 3 >= len(ln)]
        if lines:
            yield "".join(lines).encode()


def js():
    for data in files("/usr/share/javascript/**/*.js", "/usr/share/nodejs/**/*.min.js"):
        if len(data) >= 400 * (data.count(b"\n") + 1):
            yield data


def emoji():
    rnd, seq = random.Random(3), []
    for data in files("/usr/share/unicode/emoji/emoji-test.txt"):
        seq = [
            bytes.fromhex("".join("%08x" % int(c, 16) for c in ln.split(";")[0].split())).decode("utf-32-be")
            for ln in data.decode().split("\n")
            if ln[:1] not in ("", "#")
        ]
    words = "the party is on today and we are so happy to see you again this was not what I meant thanks".split()
    for _ in range(800 if seq else 0):
        yield " ".join(
            rnd.choice(words) if rnd.random() < 0.6 else "".join(rnd.choices(seq, k=rnd.randint(1, 4)))
            for _ in range(1000)
        ).encode()


def turns(*sources):
    for group in itertools.zip_longest(*sources):
        yield from (d for d in group if d is not None)


def mixed():
    """Of the kind next of which there was least so far."""
    kinds = [[0, kind.__name__, kind()] for kind in (code, prose, cjk, js, emoji)]
    everything = []
    while kinds:
        least = min(kinds, key=lambda k: k[0])
        doc = next(least[2], None)
        if doc is None:
            kinds.remove(least)
            continue
        least[0] += len(doc)
        everything.append((least[1], doc))
        yield everything[-1]
    while everything:
        yield from everything


def less(data, some):
    """data less characters. What was apart and is now together may be such a character in its turn."""
    while True:
        text = data.decode(errors="surrogateescape")
        rest = "".join(c for c in text if c not in some).encode(errors="surrogateescape")
        if rest == data:
            return data
        data = rest


def bytes_():
    rnd = random.Random(5)
    while True:
        yield rnd.randbytes(rnd.randint(1, 20000))


def utf8():
    rnd = random.Random(6)
    while True:
        top = rnd.choice((0x80, 0x800, 0x10000, 0x110000))
        points = (rnd.randrange(top) for _ in range(rnd.randint(1, 4000)))
        yield "".join(chr(c) for c in points if not 0xD800 <= c < 0xE000).encode()


if __name__ == "__main__":
    kind, most = sys.argv[1], int(float(sys.argv[2]) * 1e6)
    leave = set()
    if sys.argv[3:]:
        with open(sys.argv[3]) as f:
            leave = {chr(int(ln, 16)) for ln in f}
    source = {
        "code": renamed,
        "prose": prose,
        "cjk": cjk,
        "js": js,
        "emoji": emoji,
        "mixed": mixed,
        "bytes": bytes_,
        "utf8": utf8,
    }[kind]
    docs, size = [], 0
    for doc in source():
        of, doc = doc if kind == "mixed" else (None, doc)
        if leave:
            doc = less(doc, leave)
        if size + len(doc) > most:
            if size > most * 0.9 or len(doc) < most / 50:
                break
            continue
        docs.append(("kind=" + of if of else "", doc))
        size += len(doc)
    if size < min(most, 200000) * 0.9:
        sys.exit("no text for " + kind)
    write(sys.stdout.buffer, [d for _, d in docs], [of for of, _ in docs])
