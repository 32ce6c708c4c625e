"""Writes documents that try a scanner: every code point Unicode assigns before, after and between others, and
random strings of characters that patterns care about.

    python strange.py DOCS.lm [old]

old: of the characters Unicode assigns those alone that this Python knows too, for peers of an older table.
"""
import os
import random
import sys
import unicodedata

from lmrec import write

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
sys.path.insert(0, ROOT + "/lib/text")
import uclass  # noqa: E402

texts = []
points = uclass.assigned(ROOT + "/lib/text/uclass-tab.c")
if sys.argv[2:] == ["old"]:
    points = [c for c in points if unicodedata.category(chr(c)) != "Cn"]
for i in range(0, len(points), 4096):
    texts.append("".join("{0} a{0}b1{0}2'{0}x {0}!\n{0}  {0}\t{0}{0}".format(chr(c)) for c in points[i : i + 4096]))
rnd = random.Random(1)
alpha = list("abstvredlmSTVRE'\"  \t\n\r\n  0123!.-_(){}\u00a0\u00e9\u4e2d\u2028\u0301\u0663\u017f\u180e\u0085<|endoftext|>")
for _ in range(1000):
    texts.append("".join(rnd.choice(alpha) for _ in range(rnd.randint(0, 200))))
texts.append("<|endoftext|><|fim_prefix|><|fim_prefix<|mask_25|><|mask_255|>")
with open(sys.argv[1], "wb") as f:
    write(f, [t.encode() for t in texts])
