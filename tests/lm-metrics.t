#!/bin/sh
# lm-metrics shows training records; a run and its resumes are one.
. "${0%/*}/t.sh"
stream '@run run=aa tool=lm-train step=0' '' '@metric kind=step step=1 tokens=8 loss=9.5 bhash=0a' '' \
    '@metric kind=time step=1 ms=20.5' '' '@metric kind=step step=2 tokens=16 loss=nan bhash=0b' '' \
    '@metric kind=step step=3 tokens=24 loss=8 bhash=0c' '' '@event event=ckpt step=2' '' \
    '@metric kind=val step=2 loss=9' '' >a.lm
stream '@run run=bb parent=aa tool=lm-train step=1' '' '@metric kind=step step=2 tokens=16 loss=7 bhash=1b' '' >b.lm
cat a.lm b.lm >both.lm

is 'steps are a table' 'lm-metrics a.lm' 'step	tokens	loss	bhash
1	8	9.5	0a
2	16	nan	0b
3	24	8	0c'
is 'columns can be chosen' 'lm-metrics -k loss,step a.lm' 'loss	step
9.5	1
nan	2
8	3'
is 'every second step' 'lm-metrics --every 2 -k step a.lm' 'step
2'
is 'several kinds have a column of their own' 'lm-metrics --kind val,time,event a.lm' 'kind	step	ms	event	loss
time	1	20.5		
event	2		ckpt	
val	2			9'
is 'JSON has numbers as numbers and no nan' 'lm-metrics --jsonl --every 2 a.lm' \
    '{"kind": "step", "step": 2, "tokens": 16, "loss": null, "bhash": "0b"}'
is 'a resume replaces what was done over again' 'lm-metrics -k step,loss both.lm' 'step	loss
1	9.5
2	7'
is 'two runs are told apart by file' 'lm-metrics -k step --every 3 a.lm a.lm; mkdir -p x y; cp a.lm x/metrics.lm; cp a.lm y/metrics.lm
    lm-metrics -k step --every 3 x/metrics.lm y/metrics.lm' 'run	step
a	3
a	3
run	step
x	3
y	3'
is 'a moving average is corrected for its start' 'lm-metrics -k step,ms --kind time --smooth 0.9 a.lm' 'step	ms
1	20.5'
stream '@metric kind=step step=1 loss=8' '' '@metric kind=step step=2 loss=4' '' >s.lm
is 'and falls behind' 'lm-metrics -k loss --smooth 0.5 s.lm' 'loss
8
5.3333335'
printf '%%lm 1\n@ledger 16 step=7 dt=f32 shape=2,2\n\000\000\200\077\000\000\000\100\000\000\200\100\000\000\000\077\n%%end n=1 b=16\n' >l.lm
is 'ledger rows are numbers' 'lm-metrics --samples l.lm' 'step	sample	loss	weight
7	0	1	2
7	1	4	0.5'
sed '$d' a.lm >live.lm
fails 'the metrics of a running training lack their end' 3 'lm-metrics live.lm' truncated
is '--lax goes without it' 'lm-metrics -q --lax -k step live.lm | tail -n 1' '3'
is '--follow reads on until the end comes' \
    '(sleep 0.3; printf "@metric 0 kind=step step=4 loss=1\n\n" >>live.lm; sleep 0.3; echo "%end n=8 b=0" >>live.lm) &
    timeout 10 lm-metrics --follow -k step live.lm' 'step
1
2
3
4'
is '--follow shows what came down a pipe at once' \
    '{ sed \$d a.lm; sleep 0.5; echo late >late; echo "%end n=7 b=0"; } | lm-metrics --follow -k step |
        { read -r h; read -r one; ls late 2>/dev/null; echo $one; cat >/dev/null; }' 1
stream '@metric kind=step step=1 loss=8 bhash=0000000000000123' '' '@metric kind=step step=2 loss=4 bhash=12e4567890123456' '' \
    '@metric kind=val step=2 loss=100' '' >h.lm
is 'a hash is no number, whatever its digits' 'lm-metrics --smooth 0.5 -k bhash h.lm; lm-metrics --jsonl --every 2 h.lm' \
    'bhash
0000000000000123
12e4567890123456
{"kind": "step", "step": 2, "loss": 4, "bhash": "12e4567890123456"}'
is 'each kind has its own average' 'lm-metrics --smooth 0.5 --kind step,val -k loss h.lm' 'kind	loss
step	8
step	5.3333335
val	100'

# TensorBoard: frames of length, CRC, message, CRC; tests/peer/tensorboard.t reads them with its own reader.
is 'event files stand in a folder a run, and nothing is printed' \
    'lm-metrics --tensorboard tb x/metrics.lm y/metrics.lm; lm-metrics --tensorboard tb2 a.lm a.lm; find tb tb2 -type f | sort' \
    'tb/x/events.out.tfevents.0.lm
tb/y/events.out.tfevents.0.lm
tb2/a-2/events.out.tfevents.0.lm
tb2/a/events.out.tfevents.0.lm'
ev() { grep -ao 'brain.Event:2\|train/[a-z]*\|val/[a-z]*\|time/[a-z]*\|event/[a-z]*' "$1" | tr '\n' ' '; }
is 'a version, then steps, times and validation' 'ev tb/x/*' \
    'brain.Event:2 train/tokens train/loss time/ms train/tokens train/loss train/tokens train/loss val/loss '
is 'keys and kinds can be chosen' 'lm-metrics --tensorboard tb3 -k loss --kind step,event a.lm; ev tb3/a/*' \
    'brain.Event:2 train/loss train/loss train/loss event/ckpt '
is 'what a resume did over again is not there' 'lm-metrics --tensorboard tb4 -k loss --kind step both.lm; ev tb4/both/*' \
    'brain.Event:2 train/loss train/loss '
run 'run again it gives the same file' 0 'lm-metrics --tensorboard tb x/metrics.lm && cmp tb/x/* tb2/a/*'
run '--follow adds to the file' 0 '{ sed \$d a.lm; sleep 0.5; cp tb5/run/* early; printf "@metric 0 kind=step step=4 loss=1\n\n"
    echo "%end n=8 b=0"; } | lm-metrics --follow --tensorboard tb5 && cmp -n $(wc -c <early) early tb5/run/* &&
    [ $(wc -c <early) -lt $(cat tb5/run/* | wc -c) ]'
is 'Prometheus has the newest of each value' 'lm-metrics --kind step --prom p both.lm; cat p' \
    '# HELP lm_train_step newest step of the records of kind step
# TYPE lm_train_step gauge
lm_train_step{run="both"} 2
# HELP lm_train_tokens newest tokens of the records of kind step
# TYPE lm_train_tokens gauge
lm_train_tokens{run="both"} 16
# HELP lm_train_loss newest loss of the records of kind step
# TYPE lm_train_loss gauge
lm_train_loss{run="both"} 7'
stream '@metric kind=time step=1 ms-data=inf ms=nan' '' >'q"\.lm'
is 'and escapes what it must' 'lm-metrics --prom p q* a.lm -k ms-data,ms; grep -v "#\|_step" p' 'lm_time_ms_data{run="q\"\\"} +Inf
lm_time_ms{run="q\"\\"} NaN
lm_time_ms{run="a"} 20.5'
is '--follow renews it; a resume takes back what it does over' \
    '{ cat a.lm; sleep 0.5; grep "^lm_train_[ls]" pf >early; sed \$d b.lm; sleep 0.5; grep "^lm_train_[ls]" pf >late; tail -n 1 b.lm; } |
        lm-metrics --follow --prom pf; cat early late' 'lm_train_step{run="run"} 3
lm_train_loss{run="run"} 8
lm_train_step{run="run"} 2
lm_train_loss{run="run"} 7'
is 'a table is written beside them when it is asked for' 'lm-metrics --prom p --tsv --kind step -k loss a.lm | tail -n 1' 8
fails 'no table, no -o' 2 'lm-metrics --prom p -o t a.lm' '-o is for the table'
fails 'a ledger is a table alone' 2 'lm-metrics --samples --prom p l.lm' 'samples'
fails 'a folder that cannot be made' 5 'lm-metrics --tensorboard /proc/none a.lm' 'io: '
fails 'two forms at once are a usage error' 2 'lm-metrics --tsv --jsonl a.lm' usage
done_testing
