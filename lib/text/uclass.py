#!/usr/bin/env python3
"""Makes uclass-tab.c, the class of each Unicode character for the pretoken scanners, from the Unicode data files.

    python3 lib/text/uclass.py [-a AGE] [DIR] >lib/text/uclass-tab.c
    python3 lib/text/uclass.py -d lib/text/uclass-tab.c [DIR]

DIR holds UnicodeData.txt, PropList.txt, DerivedNormalizationProps.txt and DerivedAge.txt (/usr/share/unicode, of the
Debian package unicode-data). -a: leave out characters younger than version AGE, so that the data of a later
version give the table of AGE; categories that changed since are in CHANGED below. -d: write nothing; say which characters known to both DIR and the table differ.
"""
import getopt
import re
import sys
import unicodedata

LETTERS = {"Lu": 1, "Lt": 2, "Lm": 3, "Lo": 4, "Ll": 5}
FIRST = {"N": 6, "M": 8, "P": 9}  # by the first letter of the category
SPACE, NFC = 7, 0x40
CHANGED = {0x295: ((17, 0), "Ll")}  # what a later version made of a known character: since when, what it was before
LEAF, TOP, END = 128, 0x40000, 0x110000


def rows(name):
    """The fields of each line and the characters it is about."""
    with open("%s/%s" % (folder, name), encoding="utf-8") as f:
        for line in f:
            fields = [x.strip() for x in line.partition("#")[0].split(";")]
            if fields[0]:
                lo, _, hi = fields[0].partition("..")
                yield range(int(lo, 16), int(hi or lo, 16) + 1), fields[1:]


def number(version):
    return tuple(int(x) for x in version.split("."))[:2]


def read(age):
    """The byte of each character: '0' + class, + 64 if NFC may change it; and which are assigned."""
    klass, known = bytearray(b"0" * END), bytearray(END)
    for chars, (version, *_) in rows("DerivedAge.txt"):
        if number(version) <= age:
            known[chars.start : chars.stop] = b"\1" * len(chars)
    first = None
    for chars, (name, category, combining, *_) in rows("UnicodeData.txt"):
        if name.endswith(", First>"):  # a block: two lines, its first and its last character
            first = chars.start
            continue
        for c in range(chars.start if first is None else first, chars.stop):
            since, was = CHANGED.get(c, (age, category))
            now = was if age < since else category
            k = LETTERS.get(now) or FIRST.get(now[0], 0)
            klass[c] = 0x30 + k + (NFC if combining != "0" else 0)
        first = None
    for chars, (prop, *_) in rows("PropList.txt"):
        for c in chars if prop == "White_Space" else ():
            klass[c] = 0x30 + SPACE
    for chars, (prop, *value) in rows("DerivedNormalizationProps.txt"):
        for c in chars if prop == "NFC_QC" and value[0] in "NM" else ():  # no, maybe
            klass[c] |= NFC
    for c in range(END):
        if not known[c]:
            klass[c] = 0x30
    return klass.decode(), known


def write(klass, version):
    # Above plane 3 only E0000-E01FF holds anything; it stands at 3F000, and 3FF80 for all the rest.
    assert set(klass[0x3F000:0xE0000] + klass[0xE0200:]) == {"0"}
    text = klass[:0x3F000] + klass[0xE0000:0xE0200] + klass[0x3F200:TOP]
    leaves, top = {}, []
    for i in range(0, TOP, LEAF):
        top.append(leaves.setdefault(text[i : i + LEAF], len(leaves)))
    assert len(leaves) <= 256
    print("/* Made by uclass.py from Unicode %s. */" % version)
    print('#include "text/uclass.h"\n\n/* clang-format off */')
    print("const uint8_t lm_uclass_top[%d] = {" % len(top))
    for i in range(0, len(top), 32):
        print("    " + ",".join(map(str, top[i : i + 32])) + ",")
    print("};\n\n/* A character's byte: '0' + class, + 64 if NFC may change it. Not NUL-ended. */")
    print("const char lm_uclass_leaf[%d][%d] = {" % (len(leaves), LEAF))
    for leaf in leaves:
        print('    "%s",' % leaf)
    print("};")


def table(path):
    """The version that uclass-tab.c was made from, and the byte of each character in it."""
    with open(path, encoding="utf-8") as f:
        source = f.read()
    version = re.search(r"from Unicode ([0-9.]+)", source).group(1)
    top = [int(x) for x in re.search(r"top\[\d+\] = {(.*?)}", source, re.S).group(1).split(",") if x.strip()]
    leaves = re.findall(r'^    "(.*)",$', source, re.M)
    text = "".join(leaves[i] for i in top)
    return version, text[:0x3F000] + "0" * (0xE0000 - 0x3F000) + text[0x3F000:0x3F200] + "0" * (END - 0xE0200)


def assigned(path):
    """The characters that the table, or this Python, knows; none for private use, no surrogates."""
    text = table(path)[1]
    return [c for c in range(END) if ord(text[c]) & 15 or unicodedata.category(chr(c)) not in ("Cn", "Co", "Cs")]


def differ(path):
    version, now = table(path)
    klass, known = read(number(version))
    for c in range(END):
        if known[c] and klass[c] != now[c]:
            print("U+%04X: class %d, not %d" % (c, ord(now[c]) - 0x30, ord(klass[c]) - 0x30))
    print("%d characters compared" % sum(known))


if __name__ == "__main__":
    options, rest = getopt.getopt(sys.argv[1:], "a:d:")
    options = dict(options)
    folder = rest[0] if rest else "/usr/share/unicode"
    with open(folder + "/PropList.txt", encoding="utf-8") as f:
        data = re.match(r"# PropList-([0-9.]+)\.txt", f.readline()).group(1)
    if "-d" in options:
        differ(options["-d"])
    elif number(options.get("-a", data)) < number(data):
        write(read(number(options["-a"]))[0], "%s, the data of %s without younger characters" % (options["-a"], data))
    else:
        write(read(number(data))[0], data)
