"""lm-bpe-train --hf-quirks against tokenizers where its trainer is odd: words of few letters; reserved tokens that
occur as words or are letters; a greatest length; a least count. Random corpora, by seed. The vocabularies that come of
it, where merges make reserved tokens, encode as there.

    python bpe_odd.py FROM TO      trains corpora FROM to TO - 1; exit 1 if any differs
"""
import json
import os
import random
import subprocess
import sys
import tempfile

import hftrain
import lmrec
from tokenizers import Tokenizer


def corpus(rnd):
    letters = rnd.choice(["a", "ab", "aab", "abc", "aaaab", "abcdefgh", "aé"])
    longest = rnd.choice([3, 6, 12, 40])
    words = ["".join(rnd.choice(letters) for _ in range(rnd.randint(1, longest))) for _ in range(rnd.choice([3, 30, 300]))]
    return " ".join(rnd.choice(words) for _ in range(rnd.choice([10, 300, 3000])))


def one(seed, folder):
    rnd = random.Random(seed)
    text = corpus(rnd)
    parts = sorted({text[i : i + n] for i, n in ((rnd.randrange(len(text)), rnd.randint(1, 4)) for _ in range(12))})
    names = [p for p in parts if p.strip() == p and p] if rnd.random() < 0.6 else []
    longest = rnd.choice([0, 0, 2, 3, 5, 9])
    least = rnd.choice([0, 0, 1, 2, 5])
    size = 256 + 12 + len(names) + rnd.choice([5, 40, 400])
    docs, out, list_ = (os.path.join(folder, n) for n in ("docs.lm", "v", "names"))
    with open(docs, "wb") as f:
        lmrec.write(f, [text.encode()])
    with open(list_, "w", encoding="utf-8") as f:
        f.writelines(n + "\n" for n in names)
    subprocess.run(
        ["lm-bpe-train", "--hf-quirks", "--allow-short", "--pad-to", "1", "--reserve", str(12 + len(names)), "--vocab-size",
         str(size), "--specials", list_, "--max-token-bytes", str(longest), "--min-frequency", str(least), "-o", out, docs],
        check=True,
    )
    with open(os.path.join(out, "tokenizer.json"), "rb") as f:
        raw = f.read()
    ours = json.loads(raw)
    specials = [t["content"] for t in ours["added_tokens"]]
    run = lambda tok, trainer: tok.train_from_iterator([text], trainer)
    want = hftrain.train(hftrain.regex(ours), size, run, least, specials, longest or None)
    bad = []
    if [list(m) for m in ours["model"]["merges"]] != [list(m) for m in want["merges"]]:
        bad.append("merges")
    ordinary = sorted((i, t) for t, i in want["vocab"].items() if t not in specials)
    if [t for t in ours["model"]["vocab"] if t not in specials] != [t for _, t in ordinary]:
        bad.append("tokens")
    if not hftrain.saves_the_same(raw):
        bad.append("bytes when saved again")
    bad += encodes(out, ours, docs, text)
    if bad:
        print("seed %d: %s differ (%d merges, %d names, longest %d, least %d)"
              % (seed, ", ".join(bad), len(want["merges"]), len(names), longest, least))
    return not bad, any(n in ours["model"]["vocab"] for n in names)


def encodes(vocab, config, docs, text):
    """Text alone and with its reserved tokens found: the ids, and what they decode to."""
    bad = []
    for special, more in (("text", {"added_tokens": []}), ("parse", {})):
        tok = Tokenizer.from_str(json.dumps({**config, **more}))
        with open(docs + ".tok", "wb") as f:
            subprocess.run(["lm-tok", "--eos", "off", "--check", "1", "--special", special, "--vocab", vocab, docs], stdout=f, check=True)
        ids = [lmrec.token_ids(attrs, ids) for _, attrs, ids in lmrec.records(docs + ".tok")]
        if ids != [tok.encode(text, add_special_tokens=False).ids]:
            bad.append("ids of --special " + special)
        back = subprocess.run(["lm-detok", "--text", "--special", "text", "--vocab", vocab, docs + ".tok"], stdout=subprocess.PIPE, check=True)
        if back.stdout != text.encode():
            bad.append("text of ids of --special " + special)
    return bad


def main():
    good, made, seeds = True, 0, range(int(sys.argv[1]), int(sys.argv[2]))
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            fine, spoken = one(seed, folder)
            good &= fine
            made += spoken
    print("%d corpora; in %d of them a merge made a reserved token" % (len(seeds), made))
    sys.exit(not good or not made)


main()
