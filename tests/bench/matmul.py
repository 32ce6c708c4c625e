"""matmul.py SIZES ..: bf16 products of torch.matmul on one thread: squares, then 512 x 50304 x 512. Prints m n k GFLOP/s."""
import sys
import time

import torch

torch.set_num_threads(1)
shapes = [(n, n, n) for n in map(int, sys.argv[1:])] + [(512, 50304, 512)]
for m, n, k in shapes:
    a, b = torch.randn(m, k).bfloat16(), torch.randn(k, n).bfloat16()
    best, until = 1e9, time.perf_counter() + 1
    while time.perf_counter() < until or best == 1e9:
        t = time.perf_counter()
        torch.matmul(a, b)
        best = min(best, time.perf_counter() - t)
    print(m, n, k, f"{2 * m * n * k / best / 1e9:.1f}", flush=True)
