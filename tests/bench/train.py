"""train.py MODEL RAW bf16|f32 THREADS STEPS ROWS SEQ: a training step in PyTorch: forward, backward, clipping, AdamW, on
ROWS rows of SEQ of the u16 tokens in RAW (a file, or a folder of one). Prints name, tokens a second, peak MB, loss of the
first step for the plain model and, unless BENCH_COMPILE=0, the compiled one."""
import os
import resource
import statistics
import sys
import time

import numpy as np
import torch
from transformers import AutoModelForCausalLM

path, raw, dtype = sys.argv[1:4]
threads, steps, n, seq = map(int, sys.argv[4:8])
torch.set_num_threads(threads)
if os.path.isdir(raw):
    raw = os.path.join(raw, min(f for f in os.listdir(raw) if f.endswith(".bin")))
ids = torch.from_numpy(np.fromfile(raw, dtype="<u2").astype(np.int64))


def measure(name, compiled):
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.bfloat16 if dtype == "bf16" else torch.float32)
    model.train()
    call = torch.compile(model) if compiled else model
    opt = torch.optim.AdamW(model.parameters(), lr=3e-4, betas=(0.9, 0.95), weight_decay=0, fused=True)
    took, first = [], None
    for i in range(steps):
        rows = torch.stack([ids[at : at + seq + 1] for at in range(i * n * seq, (i + 1) * n * seq, seq)])
        t = time.perf_counter()
        logits = call(input_ids=rows[:, :-1], use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(logits.float().view(-1, logits.shape[-1]), rows[:, 1:].reshape(-1))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        opt.zero_grad(set_to_none=True)
        took.append(time.perf_counter() - t)
        first = loss.item() if first is None else first
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name}\t{n * seq / statistics.median(took[2:]):.0f}\t{peak:.0f}\t{first:.6f}", flush=True)


measure(f"torch {dtype}", False)
if os.environ.get("BENCH_COMPILE") != "0":
    measure(f"torch {dtype} compiled", True)
