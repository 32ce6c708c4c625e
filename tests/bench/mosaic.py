"""mosaic.py DIR: rows a second of MosaicML Streaming over a data set on disk, one process, no network: the better of
LocalDataset taken by number in a random order and StreamingDataset iterated with its shuffle; and the peak MB."""

import random
import sys
import time

import streaming

folder = sys.argv[1]
data = streaming.LocalDataset(folder)
order = list(range(len(data)))
random.Random(1).shuffle(order)
best = 0.0
for _ in range(2):
    begin = time.perf_counter()
    for i in order:
        data[i]["tokens"]
    best = max(best, len(order) / (time.perf_counter() - begin))
try:
    data = streaming.StreamingDataset(local=folder, shuffle=True, batch_size=1, shuffle_seed=1)
    for _ in range(2):
        rows, begin = 0, None
        for sample in data:
            sample["tokens"]
            begin = begin or time.perf_counter()  # preparing the epoch left out
            rows += 1
        best = max(best, (rows - 1) / (time.perf_counter() - begin))
except OSError as e:  # no shared memory
    print("#", e, file=sys.stderr)
with open("/proc/self/status") as f:
    print("%.0f %.0f" % (best, next(int(ln.split()[1]) for ln in f if ln.startswith("VmHWM:")) / 1024))
