"""Where pre_tokenizers of all kinds cut texts: PyPI tokenizers against ours, both from the same tokenizer.json.

    python pretok.py PRETOK [all]

PRETOK is build/CONF/peer/pretok. Texts: characters that our Unicode or Python's assigns, alone and in company (for a
named pattern each third, with "all" each; for others, which PCRE2 runs by a table of its own, each 27th of Python's), all ASCII strings of one and two characters ("all": of
three too, for named patterns) and random strings. Prints a line for each pattern; exit 1 if any differs.
"""
import itertools
import os
import random
import struct
import subprocess
import sys
import tempfile
import unicodedata
import urllib.parse

from hfjson import GPT2
from tokenizers import Regex, Tokenizer, models
from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence, Split

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
sys.path.insert(0, ROOT + "/lib/text")
import uclass  # noqa: E402

QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CL100K = QWEN2.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
CL100K_NEWER = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
O200K = "|".join(
    [
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ]
)
DEEPSEEK = ["[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"]
DEEPSEEK_V3 = [
    r"\p{N}{1,3}",
    "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|"
    "\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
]


def steps(*patterns, how="isolated", last=False, more=()):
    splits = [Split(p if isinstance(p, Regex) else Regex(p), how) for p in patterns]
    return Sequence(splits + list(more) + [ByteLevel(add_prefix_space=False, use_regex=last)])


CASES = [  # the name we must know it by (None: none), the pre_tokenizer
    ("qwen2", steps(QWEN2)),
    ("gpt2", steps(GPT2)),
    ("gpt2", steps(r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")),
    ("gpt2", steps(r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s")),
    ("gpt2", ByteLevel(add_prefix_space=False, use_regex=True)),
    ("starcoder", steps(more=[Digits(individual_digits=True)], last=True)),
    ("starcoder", steps(r"\p{N}", GPT2)),
    ("cl100k", steps(CL100K)),
    ("cl100k", steps(CL100K_NEWER)),
    ("o200k", steps(O200K)),
    ("deepseek-coder", steps(*DEEPSEEK, more=[Digits(individual_digits=True)])),
    ("deepseek-coder", steps(*DEEPSEEK, r"\p{N}")),
    (None, ByteLevel(add_prefix_space=False, use_regex=False)),
    (None, steps(*DEEPSEEK_V3)),
    (None, steps(CL100K.replace("{1,3}", "{1,2}"))),
    (None, steps(more=[Digits(individual_digits=False)])),
    (None, steps(more=[Digits(individual_digits=False)], last=True)),
    (None, steps(r"\s+$", r"^\p{L}|.\z", r"\A.")),
    (None, steps("x*|(?<=a)| (?= )")),
    (None, steps(r"\p{Han}|\p{^L}{2,}|\P{Lu}\x{301}?|\u4e2d")),
    (None, Sequence([Split("'s", "isolated"), Split(" ", "merged_with_next"), ByteLevel(add_prefix_space=False)])),
] + [
    (None, steps(pattern, r"\n", how=how, more=[Split("a", how)]))
    for how in ("isolated", "merged_with_previous", "merged_with_next", "contiguous")
    for pattern in (r"\s", r"\p{L}+|\d", "[a-m]?", "(?=[A-Z' ])")
]

rnd = random.Random(3)
ALPHA = list("abstvredlmSTVREZ'\"   \t\n\r\n  0123!.-_/(){}\v") + list(
    "\u00a0\u00e9\u00c9\u4e2d\u9fa6\u3001\u3000\u2028\u0301\u0663\u2167\u017f\u0085\ud55c\u1100\U0001f600\u200d\ufe0f\u2019\u01c5\u02b0\u093e\u00b2"
)


def texts(points, three):
    for c in points:
        c = chr(c)
        for s in (c, "a" + c, " " + c, "'" + c, c + "1", "{0} a{0}b1{0}2'{0}x {0}!\n{0}  {0}\t{0}{0}A{0}B-{0}aA{0}".format(c)):
            yield s
    for n in (1, 2, 3) if three else (1, 2):
        yield from map("".join, itertools.product(map(chr, range(128)), repeat=n))
    for _ in range(20000):
        yield "".join(rnd.choice(ALPHA) * rnd.choice((1, 1, 1, 1, 2, 9)) for _ in range(rnd.randint(0, 60)))


def ends(pre, text):
    at, out = 0, []
    for piece, _ in pre.pre_tokenize_str(text):
        at += len(piece)  # byte-level: a character a byte
        out.append(at)
    return out


helper, full = sys.argv[1], sys.argv[2:] == ["all"]
points = uclass.assigned(ROOT + "/lib/text/uclass-tab.c")
older = [c for c in points if unicodedata.category(chr(c)) not in ("Cn", "Co", "Cs")]
bad = 0
for name, pre in CASES:
    tok = Tokenizer(models.BPE({c: i for i, c in enumerate(sorted(ByteLevel.alphabet()))}, []))
    tok.pre_tokenizer = pre
    wrong = None
    tried = list(texts(points[:: 1 if full else 3] if name else older[::27], full and name))
    raw = [t.encode() for t in tried]
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "tokenizer.json")
        tok.save(path)
        data = b"".join(struct.pack("<I", len(b)) + b for b in raw)
        ours = subprocess.run([helper, path], input=data, stdout=subprocess.PIPE).stdout
    known, _, ours = ours.partition(b"\n")
    known, at = urllib.parse.unquote(known.decode()), 0
    for text in tried:
        want = ends(pre, text)
        (k,) = struct.unpack_from("<I", ours, at)
        have = list(struct.unpack_from("<%dI" % k, ours, at + 4))
        at += 4 + 4 * k
        if have != want:
            wrong = (text, have, want)
            break
    if wrong or (name or known) != known:
        bad = 1
        print("DIFFERS: %s: %r cut at %s, not %s" % ((known,) + (wrong or ("name", known, name))))
    else:
        print("equal: %d texts, %.60s" % (len(tried), known.replace("\n", "\\n").replace("\r", "\\r")))
sys.exit(bad)
