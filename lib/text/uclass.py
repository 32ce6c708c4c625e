#!/usr/bin/env python3
"""Writes uclass-tab.c: the class of each Unicode character, for the pretoken scanners.

    python3 lib/text/uclass.py >lib/text/uclass-tab.c

Takes PyPI unicodedata2 16.0.0 (so that the version is the one we name), else says which version it found and stops.
"""
import sys

try:
    import unicodedata2 as ud
except ImportError:
    import unicodedata as ud
if ud.unidata_version != "16.0.0":
    sys.exit("uclass.py: Unicode %s, 16.0.0 wanted (pip install unicodedata2==16.0.0)" % ud.unidata_version)

SPACE = {9, 10, 11, 12, 13, 32, 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000} | set(range(0x2000, 0x200B))
LETTERS = {"Lu": 1, "Lt": 2, "Lm": 3, "Lo": 4, "Ll": 5}
FIRST = {"N": 6, "M": 8, "P": 9}
LEAF, TOP = 128, 0x40000

hangul = list(range(0x1161, 0x1176)) + list(range(0x11A8, 0x11C3))
joins = set(hangul)  # may join the character before it under NFC
for c in range(0x110000):
    d = ud.decomposition(chr(c))
    if d and d[0] != "<" and len(d.split()) == 2:
        a, b = (chr(int(x, 16)) for x in d.split())
        if ud.normalize("NFC", a + b) == chr(c):
            joins.add(ord(b))


def klass(c):
    g = ud.category(chr(c))
    k = 7 if c in SPACE else LETTERS.get(g) or FIRST.get(g[0], 0)
    nfc = c in joins or ud.combining(chr(c)) or (not 0xD800 <= c < 0xE000 and ud.normalize("NFC", chr(c)) != chr(c))
    return chr(0x30 + k + (0x40 if nfc else 0))


# Above plane 3 only E0000-E01FF holds anything; it stands at 3F000, and 3FF80 for all the rest.
text = "".join(klass(c) for c in range(TOP))
assert set(text[0x3F000:]) == {"0"}
tags = "".join(klass(c) for c in range(0xE0000, 0xE0200))
assert {klass(c) for c in range(TOP, 0x110000) if not 0xE0000 <= c < 0xE0200} == {"0"}
text = text[:0x3F000] + tags + text[0x3F200:]

leaves, top = {}, []
for i in range(0, TOP, LEAF):
    top.append(leaves.setdefault(text[i : i + LEAF], len(leaves)))
assert len(leaves) <= 256
print("/* Made by uclass.py from Unicode %s; do not edit. */" % ud.unidata_version)
print('#include "text/uclass.h"\n\n/* clang-format off */')
print("const uint8_t lm_uclass_top[%d] = {" % len(top))
for i in range(0, len(top), 32):
    print("    " + ",".join(map(str, top[i : i + 32])) + ",")
print("};\n\n/* A character's byte: '0' + class, + 64 if NFC may change it. Not NUL-ended. */")
print("const char lm_uclass_leaf[%d][%d] = {" % (len(leaves), LEAF))
for leaf in leaves:
    print('    "%s",' % leaf)
print("};")
