"""Does transformers load the directory, with its roles?    python hf_load.py DIR SIZE"""
import os
import sys
import tempfile

from transformers import AutoTokenizer

t = AutoTokenizer.from_pretrained(sys.argv[1])
assert len(t) == int(sys.argv[2]), len(t)
assert t.eos_token == "<|endoftext|>" and t.pad_token == "<|endoftext|>", (t.eos_token, t.pad_token)
assert t.eos_token_id == len(t) - 512, t.eos_token_id
text = "def f(x):\n    return 'caf\u00e9' + x  # <|im_end|>\n"
ids = t.encode(text)
assert t.decode(ids) == text, t.decode(ids)
assert "<|im_end|>" not in t.decode(ids, skip_special_tokens=True)
with tempfile.TemporaryDirectory() as d:
    t.save_pretrained(d)
    for_us, for_them = (open(os.path.join(x, "tokenizer.json"), "rb").read() for x in (sys.argv[1], d))
    assert for_us == for_them, "saved with other bytes"
print("loads")
