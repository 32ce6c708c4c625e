"""The keys of a GGUF vocabulary as PyPI gguf reads them, against the tokenizer directory it was made of.

    python gguf_keys.py VOCAB.gguf DIR PRE

PRE is what tokenizer.ggml.pre must be. Prints one line; exit 1 at the first key that is not as it should be.
"""
import json
import os
import sys

from gguf import GGUFReader, TokenType

path, folder, pre = sys.argv[1:]
keys = {k: f.contents() for k, f in GGUFReader(path).fields.items()}
with open(os.path.join(folder, "tokenizer.json"), encoding="utf-8") as f:
    whole = f.read()
with open(os.path.join(folder, "tokenizer_config.json"), encoding="utf-8") as f:
    config = json.load(f)
ours = json.loads(whole)
added = {t["id"]: t for t in ours["added_tokens"]}
text = {i: t for t, i in ours["model"]["vocab"].items()}
text.update({i: t["content"] for i, t in added.items()})
content = {t["content"]: i for i, t in added.items()}
size = max(text) + 1


def kind(i):
    if i not in text:
        return TokenType.UNUSED
    if i not in added:
        return TokenType.NORMAL
    return TokenType.CONTROL if added[i]["special"] else TokenType.USER_DEFINED


want = {
    "model": "gpt2",
    "pre": pre,
    "tokens": [text.get(i, "[PAD%d]" % i) for i in range(size)],
    "token_type": [int(kind(i)) for i in range(size)],
    "merges": [" ".join(m) for m in ours["model"]["merges"]],
    "add_bos_token": False,
}
roles = {"eos": "eos", "padding": "pad", "bos": "bos", "fim_pre": "fim_pre", "fim_suf": "fim_suf", "fim_mid": "fim_mid",
         "fim_pad": "fim_pad", "fim_rep": "repo", "fim_sep": "file"}
for theirs, role in roles.items():
    token = config.get(role + "_token")
    if token:
        want[theirs + "_token_id"] = content[token]
assert keys["tokenizer.huggingface.json"] == whole
for key, value in want.items():
    if keys["tokenizer.ggml." + key] != value:
        sys.exit("%s: not as it should be" % key)
print("equal: %d keys, %d tokens, %d merges" % (len(want) + 1, size, len(want["merges"])))
