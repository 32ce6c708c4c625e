"""Ids of lm-tok against llama.cpp (PyPI llama-cpp-python), which reads a vocabulary-only GGUF file.

    python llama_ids.py DOCS.lm IDS.lm VOCAB.gguf

IDS.lm is what `lm-tok --eos off` made of DOCS.lm. Documents that are not UTF-8 are left out: llama.cpp replaces
what it cannot read. Prints one line; exit 1 at the first other id.
"""
import ctypes
import sys

import llama_cpp
from lmrec import compare

docs, ids, path = sys.argv[1:]
quiet = llama_cpp.llama_log_callback(lambda level, text, data: None)
llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))
params = llama_cpp.llama_model_default_params()
params.vocab_only = True
model = llama_cpp.llama_model_load_from_file(path.encode(), params)
if not model:
    sys.exit("llama.cpp does not load " + path)
vocab = llama_cpp.llama_model_get_vocab(model)


def one(text):
    room = len(text) + 16
    out = (llama_cpp.llama_token * room)()
    n = llama_cpp.llama_tokenize(vocab, text, len(text), out, room, False, False)
    assert n >= 0, n
    return list(out[:n])


compare(docs, ids, lambda texts: map(one, texts))
