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

# Every document of the corpus, cut for filling in: nothing is lost, the shares are those asked for, and neither
# threads nor order nor a split of the input changes any of them.
LM_PROV=0
export LM_PROV
fim=$ROOT/build/$CONF/unit/fim
[ -x "$fim" ] || MAKEFLAGS='' make -s -C "$ROOT" CONF="$CONF" "build/$CONF/unit/fim" >&2 || exit 1
n=$(lm-ls demo/pii.lm | wc -l)
for o in '--cut char' '--cut line' '--cut token --vocab demo/vocab'; do
    like "lm-fim $o: all $n files are whole again" "lm-fim --rate 1 $o demo/pii.lm -o cut.lm && '$fim' demo/pii.lm cut.lm" "^$n documents, $n texts cut\$"
done
like 'and from pieces of a context' "lm-fim --level context --ctx 256 --vocab demo/vocab demo/pii.lm -o cut.lm && '$fim' demo/pii.lm cut.lm" \
    "^$n documents, [0-9]{4,} texts cut\$"
shares() # RATE SPM: of the texts of cut.lm
{
    lm-ls -k fim cut.lm | awk -v r="$1" -v m="$2" '{ n++; c += $1 != "-"; s += $1 ~ /^suf/ } END { print n, c, s
        exit (c - n * r) ^ 2 > 9 * n * r * (1 - r) || (s - c * m) ^ 2 > 9 * c * m * (1 - m) }'
}
for o in '.5 .5' '.9 .2'; do
    run "rate and share of SPM, $o, within three sigma" 0 "lm-fim --level context --ctx 256 --vocab demo/vocab --min-bytes 0 \
        --rate ${o% *} --spm ${o#* } demo/pii.lm -o cut.lm && shares $o"
    note "pieces, cut, suffix first: $(cat "$out")"
done
run '-j changes no byte' 0 'lm-fim -j 1 demo/pii.lm >1.lm && lm-fim -j 3 demo/pii.lm | cmp - 1.lm'
run 'nor does another order, put back' 0 'lm-shuffle -s 1 1.lm >s.lm && lm-shuffle -s 2 demo/pii.lm | lm-fim | lm-shuffle -s 1 | cmp - s.lm'
run 'nor a split' 0 'lm-split --by id 97:1:2 -o cut 1.lm && for s in train valid test; do lm-fim demo/split/$s.lm -o c.lm && cmp c.lm cut/$s.lm || exit 1; done'
unset LM_PROV

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
