#!/bin/sh
# Training at the shape of the demo (4-5 M parameters, rows of 256 tokens, 4 rows a step, AdamW, clipping): tokens a
# second of lm-train and of PyTorch on the same model directory, in turns, the best of each. The peer is the better
# of transformers in f32 and bf16, plain and, with BENCH_COMPILE=1, compiled (minutes more).
set -u
. "$ROOT/tests/tokens.sh"
T=$(mktemp -d) && cd "$T" || exit 1
trap 'rm -rf "$T"' EXIT
turns=${BENCH_TURNS:-2} steps=${BENCH_STEPS:-12}

tokens 400 1 >t.lm
lm-shard -o data t.lm
lm-init --layers 6 --dim 256 --head-dim 64 --vocab-size 8192 --seq 256 --dtype f32 -o model
best() { sort -g "$1" | tail -n 1; }
ours() # DTYPE JOBS: the median of the steps but the first two
{
    rm -rf run
    lm-train -q -j "$2" -m model -o run --opt adamw --dtype "$1" --seq 256 --batch-tokens 1024 --micro 4 --steps "$steps" \
        --ckpt-every 100000 data
    lm-metrics --kind time -k tps run/metrics.lm | sed 1,3d | sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}
cores=$(nproc)
i=0
while [ $i -lt "$turns" ]; do
    for d in bf16 f32; do
        ours $d "$cores" >>ours-$d
        [ "$cores" = 1 ] || ours $d 1 >>one-$d
        [ ! -x "${LM_PEERS:-}" ] || "$LM_PEERS" "$ROOT/tests/bench/train.py" model $d "$cores" "$steps" >>peer-$d 2>/dev/null
    done
    i=$((i + 1))
done
peer=- theirs=
if [ -s peer-bf16 ] || [ -s peer-f32 ]; then
    theirs=$(cat peer-* | cut -f 2 | sort -g | tail -n 1)
    peer=$(cat peer-* | awk -F'\t' -v b="$theirs" '$2 == b { print $1; exit }')
fi
for d in bf16 f32; do
    printf 'training 5 M, %s, %s cores\ttok/s\t%s\t%s\t%s\n' $d "$cores" "$(best ours-$d)" "$peer" "$theirs"
done
[ "$cores" = 1 ] || printf 'training 5 M, bf16, %s threads over 1\ttok/s\t%s\t%s\t%s\n' "$cores" "$(best ours-bf16)" 'own, 1' "$(best one-bf16)"
