"""train.py MODEL bf16|f32 THREADS STEPS: tokens a second of a training step in PyTorch: forward, backward, clipping,
AdamW, 4 rows of 256 tokens. Prints `name TAB figure` for the plain model and, with BENCH_COMPILE=1, the compiled one."""
import os
import statistics
import sys
import time

import torch
from transformers import AutoModelForCausalLM

path, dtype, threads, steps = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(threads)
torch.manual_seed(0)


def measure(name, compiled):
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.bfloat16 if dtype == "bf16" else torch.float32)
    model.train()
    call = torch.compile(model) if compiled else model
    opt = torch.optim.AdamW(model.parameters(), lr=3e-4, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
    rows = torch.randint(0, 60, (4, 257))
    took = []
    for i in range(steps):
        t = time.perf_counter()
        logits = call(input_ids=rows[:, :-1], use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(logits.float().view(-1, logits.shape[-1]), rows[:, 1:].reshape(-1))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        opt.zero_grad(set_to_none=True)
        took.append(time.perf_counter() - t)
    print(f"{name}\t{4 * 256 / statistics.median(took[2:]):.0f}", flush=True)


measure(f"torch {dtype}", False)
if os.environ.get("BENCH_COMPILE") == "1":
    measure(f"torch {dtype} compiled", True)
