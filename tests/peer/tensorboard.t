#!/bin/sh
# TensorBoard reads the event files of lm-metrics with its own reader and sees the numbers of the records.
. "${0%/*}/../t.sh"
skip_without peers:tensorboard
awk 'BEGIN { print "%lm 1\n@run 0 run=aa step=0\n"
    for (i = 1; i <= 50; i++) { printf "@metric 0 kind=step step=%d tokens=%d loss=%.7g bhash=%016d\n\n", i, i * 8, 9 / i, i
        printf "@metric 0 kind=time step=%d ms=500\n\n", i }
    print "@metric 0 kind=val step=50 loss=nan\n\n@event 0 ts=2026-01-02T03:04:05Z event=ckpt step=50\n"
    print "%end n=103 b=0" }' >a.lm
cat >b.lm <<E2
%lm 1
@run 0 run=bb parent=aa step=40

@metric 0 kind=step step=41 tokens=328 loss=0.125

%end n=2 b=0
E2
cat >read.py <<'P'
import sys, warnings
warnings.filterwarnings("ignore")
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
acc = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0})
acc.Reload()
for tag in sorted(acc.Tags()["scalars"]):
    if len(sys.argv) > 2 and tag != sys.argv[2]:
        continue
    for e in acc.Scalars(tag):
        print(f"{tag}\t{e.step}\t{e.value:.7g}\t{e.wall_time:.1f}")
P
py() { "$LM_PEERS" read.py "$@" 2>/dev/null; }
lm-metrics --tensorboard tb a.lm
is 'its reader has the losses of the table' "py tb/a train/loss | cut -f 2,3 | awk '{ printf \"%d\t%.7g\n\", \$1, \$2 }'" \
    "$(lm-metrics -k step,loss a.lm | sed 1d | awk '{ printf "%d\t%.7g\n", $1, $2 }')"
is 'tags are kind and key, hashes are none' 'py tb/a | cut -f 1 | uniq' 'time/ms
train/loss
train/tokens
val/loss'
is 'the clock is that of the first event, less what the steps took' "py tb/a train/loss | cut -f 4 | sed -n '1p;2p;\$p'" "$(
    "$LM_PEERS" -c 'from datetime import *
t = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc).timestamp()
for s in 24.5, 24, 0: print(f"{t - s:.1f}")')"
like 'nan stays nan' 'py tb/a val/loss' 'nan'
cat a.lm b.lm >both.lm
lm-metrics --tensorboard tb both.lm
is 'a resume takes the place of what it did over' 'py tb/both train/loss | tail -n 2 | cut -f 2,3' '40	0.225
41	0.125'
{ cat a.lm; sleep 0.7; cat b.lm; } | lm-metrics --follow --tensorboard tb
is 'so it does where it comes later' 'py tb/run train/loss | tail -n 2 | cut -f 2,3' '40	0.225
41	0.125'
done_testing
