#!/usr/bin/env python3
"""The statistics of lm-linefilter said again in Python, from their definitions alone.

linefilter.py make >in.lm     random documents with everything that is easy to get wrong
linefilter.py check <out.lm   what lm-linefilter set is what this program finds; prints how many agree
"""
import random
import re
import struct
import sys
import unicodedata
from urllib.parse import unquote_to_bytes

from lmrec import parse, read

B64 = re.compile(rb"[a-zA-Z0-9+/\n=]{64,}")
HEX = re.compile(rb"(?:\b(?:0x|\\x)?[0-9a-fA-F]{2}(?:,|\b\s*)){8,}")
UNI = re.compile(rb"(?:\\u[0-9a-fA-F]{4}){8,}")
HIGH = re.compile(rb"[\x80-\xff]")
SPACE = set(range(9, 14)) | {32, 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000} | set(range(0x2000, 0x200B))


def measure(body):
    text = body.decode("utf-8", "surrogateescape")  # an invalid byte becomes one lone surrogate
    lines = text.split("\n")
    ends = [ln[:-1] if ln.endswith("\r") else ln for ln in lines[:-1]] + lines[-1:]
    if not ends[-1]:
        ends.pop()
    cats = [unicodedata.category(c)[0] for c in text]
    runs = [len(m) for rx, s in ((B64, body), (HEX, HIGH.sub(b"_", body)), (UNI, body)) for m in rx.findall(s)]
    n = len(text) or 1
    return {
        "n-lines": len(ends),
        "line-max": max(map(len, ends), default=0),
        "line-mean": sum(map(len, ends)) / (len(ends) or 1),
        "alpha": cats.count("L") / n,
        "alnum": (cats.count("L") + cats.count("N")) / n,
        "digit": sum("0" <= c <= "9" for c in text) / n,
        "space": sum(ord(c) in SPACE for c in text) / n,
        "nonascii": sum(c > "\x7f" for c in text) / n,
        "enc-run": max(runs, default=0),
        "enc-frac": sum(runs) / n,
    }


def make(out):
    rng = random.Random(7)
    parts = [b"\n", b"\r\n", b"int x;", b"be ", b"0x41,", b"\\x41", b"\\u00e9", b"de,", b"QUJD", b"0123456789abcdef", "é".encode(),
             "€".encode(), "中文".encode(), "😀".encode(), b"\xc3", b"\x80", b" ", b"_", b"x", b"\t", b"==\n", "½".encode(), "\u2003".encode()]
    docs = [b"", b"\n", b"a\r\n", b"a\r", b"a" * 5000, b"A" * 64, b"A" * 63, b"0f " * 8, b"0f " * 7, b"\\u0041" * 8, b"\\u0041" * 7,
            "é".encode() * 3000 + b"\xff\xfe", b"x" * 63 + "é".encode(), b"x" * 62 + "€".encode() + b"\n"]
    for _ in range(1000):
        few = rng.sample(parts, rng.randint(1, 5)) if rng.random() < 0.7 else parts
        docs.append(b"".join(rng.choice(few) for _ in range(rng.randint(0, 400))))
    out.write(b"%lm 1\n")
    for d in docs:
        out.write(b"@doc %d enc=bytes\n%b\n" % (len(d), d))
    out.write(b"%%end n=%d b=%d\n" % (len(docs), sum(map(len, docs))))


def f32(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def check(f):
    good = 0
    for head, body in read(f):
        have = {k.decode(): unquote_to_bytes(v).decode() for k, v in parse(head)[1].items()}
        for k, v in measure(body).items():
            if f32(float(have[k])) != f32(v):
                print("%s is %s, should be %r in %r" % (k, have[k], v, body[:200]))
                return 1
        good += 1
    print(good, "agree")
    return 0


if __name__ == "__main__":
    if sys.argv[1:] == ["make"]:
        make(sys.stdout.buffer)
    elif sys.argv[1:] == ["check"]:
        sys.exit(check(sys.stdin.buffer))
    else:
        sys.exit(__doc__)
