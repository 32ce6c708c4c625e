"""gguf-model.py MODEL FILE.gguf PROMPTS..: a Hugging Face directory and the GGUF file made of it.

The package gguf reads the file: each tensor, under the name its own table has for that of Hugging Face, holds the
same values, heads of q and k of arch llama in the order of convert_hf_to_gguf.py. llama.cpp (PyPI llama-cpp-python,
where it is at hand) has the same ids of each prompt as lm-gen, and goes on with the same ids, greedily.
"""
import json
import subprocess
import sys

import gguf
import numpy as np
import torch
from gguf.quants import dequantize
from safetensors.torch import load_file

folder, path, *prompts = sys.argv[1:]
cfg = json.load(open(folder + "/config.json"))
arch = cfg["model_type"]
layers = cfg.get("num_hidden_layers") or cfg.get("n_layer") or cfg.get("n_layers")
heads = cfg.get("num_attention_heads"), cfg.get("num_key_value_heads")
names = gguf.get_tensor_name_map({v: k for k, v in gguf.MODEL_ARCH_NAMES.items()}[arch], layers)
reader = gguf.GGUFReader(path)
theirs = {t.name: t for t in reader.tensors}
ours = load_file(folder + "/model.safetensors")


def permute(w, n):
    return w.reshape(n, 2, w.shape[0] // n // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


for name, w in ours.items():
    w = w.to(torch.float32).numpy()
    t = theirs.pop(names.get_name(name, try_suffixes=(".weight", ".bias")))
    if arch == "llama" and ".q_proj." in name:
        w = permute(w, heads[0])
    if arch == "llama" and ".k_proj." in name:
        w = permute(w, heads[1])
    if arch == "gpt2" and ".h." in name and w.ndim == 2:
        w = w.T
    x = dequantize(t.data, t.tensor_type).reshape(tuple(int(d) for d in reversed(t.shape)))
    assert x.shape == w.shape and np.array_equal(x, w), name
assert not [n for n in theirs if n != "rope_freqs.weight"], theirs.keys()
said = [f"{len(ours)} tensors"]
try:
    import ctypes

    import llama_cpp
except ImportError:
    prompts = []
if not prompts:
    print(said[0])
    sys.exit(0)
quiet = llama_cpp.llama_log_callback(lambda level, text, data: None)
llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))
llm = llama_cpp.Llama(path, n_ctx=256, n_threads=1, n_threads_batch=1, type_k=0, type_v=0, verbose=False,
                      flash_attn=False)
vocab = llama_cpp.llama_model_get_vocab(llm._model.model)


def tokens(text):
    text = text.encode()
    out = (llama_cpp.llama_token * (len(text) + 16))()
    n = llama_cpp.llama_tokenize(vocab, text, len(text), out, len(out), False, False)
    return list(out[:n])


def records(data):
    at = 0
    while at < len(data):
        end = data.index(b"\n", at)
        head, at = data[at:end].split(), end + 1
        if head[0][:1] == b"@":
            n = int(head[1])
            yield head[0], dict(x.split(b"=", 1) for x in head[2:]), data[at : at + n]
            at += n + 1


with open("prompts.jsonl", "w", encoding="utf8") as f:
    for p in prompts:
        f.write(json.dumps({"text": p}) + "\n")
data = subprocess.run(
    ["sh", "-c", 'lm-import --text text prompts.jsonl | '
     'lm-gen -m "$1" -t doc --load-as f32 --max-tokens 40 --ids --logprobs 1', "sh", folder],
    stdout=subprocess.PIPE, check=True).stdout
got, worst = [], 0.0
for kind, attr, body in records(data):
    if kind == b"@gen":
        n = int(attr[b"prompt-tokens"])
    elif kind == b"@tok":
        dt = {b"u16": np.uint16, b"u32": np.uint32}[attr[b"dt"]]
        ids = np.frombuffer(body, dt, int(attr[b"shape"].split(b",")[0])).tolist()
    elif kind == b"@logp":
        rows = int(attr[b"shape"].split(b",")[0])
        got.append((n, ids, np.frombuffer(body, np.float32, 2 * rows).reshape(rows, 2)[:, 0]))
assert len(got) == len(prompts)
total = 0
for text, (n, ids, logp) in zip(prompts, got):
    assert tokens(text) == ids[:n], (text, tokens(text), ids[:n])
    llm.reset()
    llm.eval(ids[:n])
    for k, want in enumerate(ids[n:]):
        z = np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(llm._ctx.ctx, -1), (cfg["vocab_size"],)).astype(np.float64)
        assert int(z.argmax()) == want, (text, k, int(z.argmax()), want, z[int(z.argmax())] - z[want])
        if k < len(logp):
            m = z.max()
            worst = max(worst, abs(z[want] - m - np.log(np.exp(z - m).sum()) - float(logp[k])))
        total += 1
        llm.eval([want])
assert total >= 20 * len(prompts), total
said.append(f"{total} greedy ids as llama.cpp's, log p within {worst:.1g}")
print(", ".join(said))
sys.exit(int(worst > 1e-3))
