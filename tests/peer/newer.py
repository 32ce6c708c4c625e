"""The characters that a peer takes for another kind than lm-tok does, one a line, in hex: those that its table of
Unicode knows and ours (16.0) did not have yet, and the few whose category was changed since.

    python newer.py PEER ..

PEER: tokenizers (the engine of its regular expressions), digits (its Digits: the tables of Rust), tiktoken, regex (the
package). Exit 1 if one of another kind is known to 16.0 and not among the changes uclass.py lists: ours is wrong.
"""

import os
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
sys.path.insert(0, ROOT + "/lib/text")
import uclass  # noqa: E402

KINDS = [None, "Lu", "Lt", "Lm", "Lo", "Ll", "N", "s", "M", "P"]  # by class
ALL = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x110000)]))
BYTES = {bytes([i]): i for i in range(256)}


def named(kind):
    return r"\s" if kind == "s" else r"\p{%s}" % kind


def tiktoken(pattern):
    import tiktoken

    e = tiktoken.Encoding("bytes", pat_str=pattern, mergeable_ranks=BYTES, special_tokens={})
    return set(e.decode(e.encode_ordinary(ALL)))


def tokenizers(kind):
    from tokenizers import Regex
    from tokenizers.pre_tokenizers import Split

    rest = Split(Regex(named(kind) + "+"), "removed").pre_tokenize_str(ALL)
    return set(ALL).difference(*(piece for piece, _ in rest))


def digits(kind):
    from tokenizers.pre_tokenizers import Digits

    if kind != "N":
        return None
    cut = {piece for piece, _ in Digits(individual_digits=True).pre_tokenize_str("a".join(ALL))}
    return {c for c in ALL if c in cut} - {"a"}


def regex(kind):
    import regex

    return set(regex.findall(named(kind), ALL))


PEERS = {"tokenizers": tokenizers, "digits": digits, "tiktoken": lambda k: tiktoken(named(k)), "regex": regex}

version, table = uclass.table(ROOT + "/lib/text/uclass-tab.c")
ours = {k: set() for k in KINDS}
for c in ALL:
    ours[KINDS[ord(table[ord(c)]) - 0x30 & 15]].add(c)
odd = set()
for peer in sys.argv[1:]:
    for kind in KINDS[1:]:
        theirs = PEERS[peer](kind)
        if theirs is not None:
            odd |= theirs ^ ours[kind]
sys.stdout.writelines("%X\n" % ord(c) for c in sorted(odd))
wrong = [c for c in odd & tiktoken(r"\p{Age=%s}" % version[:4]) if ord(c) not in uclass.CHANGED]
if wrong:
    sys.exit("known to Unicode %s and another kind there: %s" % (version, " ".join("U+%04X" % ord(c) for c in wrong)))
