#!/bin/sh
# The demo in small: a few steps of training, cut off by a kill and taken up again, end in the same report.
. "${0%/*}/t.sh"
skip_without lm-import lm-dedup lm-linefilter lm-pii lm-split lm-bpe-train lm-tok lm-pack lm-shard lm-init lm-train \
    lm-plot lm-eval lm-gen lm-task lm-exec lm-passk python3 xz
unset LM_PROV MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
demo() # TARGET OPTION ..: a small demo in ./demo
{
    make -s -C "$ROOT/examples/codelm" O="$T/demo" VOCAB=1024 SHAPE='--layers 1 --dim 64 --ffn 128' STEPS=30 \
        RECIPE='--batch-tokens 512 --micro 2 --ckpt-every 5' SPLIT=97:1:2 TRIES=2 "$@"
}

run 'the demo runs, two stages at a time' 0 'demo -j2 all'
for word in import dedup filter pii test 'gzip -9' 'xz -9e' 'this model' 'pass@1 ' 'Seconds:'; do
    like "the report tells of $word" 'cat demo/report.txt' "$word"
done
sum() { (cd demo && cksum run/latest/model.safetensors eval.lm samples.lm gen.lm split/*.lm vocab/tokenizer.json); }
sum >sums
touch -r demo/trained mark
run 'once more makes nothing anew' 0 'demo all && [ ! demo/trained -nt mark ]'

# Cut off while it trains: a checkpoint is there, the target is not.
rm -rf demo
run 'everything up to training' 0 'demo "$T/demo/fresh"'
cut_off()
{
    demo "$T/demo/trained" STEPS=30 >/dev/null 2>&1 &
    i=0
    while [ ! -e demo/run/latest ] && [ $i -lt 600 ]; do sleep 0.1; i=$((i + 1)); done
    for p in $(sed -n 's/^pid=\([0-9]*\).*/\1/p' demo/run/lock 2>/dev/null) $(pgrep -f "lm-train.*$T/demo/run" || :); do
        kill -9 "$p" 2>/dev/null
    done
    wait
    [ -e demo/run/latest ]
}
run 'training is killed after a checkpoint' 0 cut_off
run 'make goes on where it was' 0 'demo all'
is 'to the same bytes' 'sum' "$(cat sums)"
done_testing
