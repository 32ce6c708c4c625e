#!/bin/sh
# train-kill.sh [KILLS [STEPS [SEED [FAMILY]]]]: a run killed with kill -9 at KILLS (10) random moments and started again
# each time must end with the checkpoint files of an unbroken run, byte for byte, and with its step records.
# Half of the kills come while a checkpoint is due at every step, so that its writing is hit too.
# Run by hand: sh tests/slow/train-kill.sh; exit 0 if all is equal.
set -u
ROOT=$(cd "${0%/*}/../.." && pwd)
PATH=$ROOT/build/${CONF:-release}/bin:$PATH
. "$ROOT/tests/tokens.sh"
kills=${1:-10} steps=${2:-120} seed=${3:-1} fam=${4:-qwen3}
T=$(mktemp -d) && cd "$T" || exit 1
trap 'rm -rf "$T"' EXIT

tokens 300 1 >t.lm
lm-shard -o data t.lm
case $fam in gpt2 | mpt) shape='' ;; *) shape='--kv-heads 2 --ffn 128' ;; esac
# shellcheck disable=SC2086 # options
lm-init --arch "$fam" --layers 3 --dim 64 --heads 4 $shape --vocab-size 64 --seq 64 -o model
train() { exec lm-train -q -m model -o "$1" --seq 32 --batch-tokens 512 --micro 8 --steps "$steps" --lr 0.01 --ckpt-every "$2" data; }
now() { date +%s.%N; }
# the killed run is the whole one
same()
{
    bad=0
    diff -r whole/latest/ killed/latest/ && echo "equal: every file of $(readlink whole/latest)" || bad=1
    lm-metrics whole/metrics.lm >a.tsv
    lm-metrics killed/metrics.lm >b.tsv
    cmp a.tsv b.tsv && echo "equal: $(($(wc -l <a.tsv) - 1)) step records" || bad=1
    lm-metrics --samples whole/ledger.lm >a.tsv
    lm-metrics --samples killed/ledger.lm >b.tsv
    cmp a.tsv b.tsv && echo "equal: the ledgers" || bad=1
    lm-check killed/metrics.lm killed/ledger.lm || bad=1
    return $bad
}

a=$(now)
(train whole 5) || exit 1
b=$(now)
done=0 rounds=0
while [ $done -lt "$kills" ]; do
    seed=$((seed + 1))
    every=$((seed % 2 * 4 + 1))
    wait=$(awk -v s=$seed -v a="$a" -v b="$b" -v k="$kills" 'BEGIN { srand(s); print rand() * (b - a) * 2 / k }')
    train killed $every &
    p=$!
    sleep "$wait"
    if kill -9 $p 2>/dev/null; then
        done=$((done + 1))
        wait $p 2>/dev/null
        echo "kill $done after ${wait}s, at $(readlink killed/latest 2>/dev/null || echo 'no checkpoint')"
    else
        wait $p && same || exit 1
        rounds=$((rounds + 1))
        [ $rounds -le "$kills" ] || { echo 'it always ends before it is killed: steps are too few'; exit 1; }
        rm -rf killed
    fi
done
(train killed 5) || exit 1
same
