#!/bin/sh
# muon.sh [STEPS [SHARE [SEEDS]]]: Muon against AdamW on the demo's corpus, shape and schedule (examples/codelm): AdamW
# runs STEPS (700) steps at each of four rates with the first seed, then with the other seeds at the best of them; Muon
# runs SHARE (80) per cent of the steps at the demo's rate. Seeds are of weights and order of rows both. Prints the loss
# on the validation files of each run; exit 0 if Muon's is no higher with every seed. About a quarter of an hour on two
# cores, two runs at a time; run by hand, after `make demo`.
set -u
ROOT=$(cd "${0%/*}/../.." && pwd)
PATH=$ROOT/build/${CONF:-release}/bin:$PATH
D=${DEMO:-$ROOT/build/demo}
steps=${1:-700} share=${2:-80} seeds=${3:-1 2 3}
shape='--layers 4 --dim 192 --ffn 512 --seq 256'
[ -e "$D/shards/train/index.lm" ] || { echo 'make demo first' >&2; exit 2; }
T=${KEEP:-$(mktemp -d)} && mkdir -p "$T" && cd "$T" || exit 1
[ -n "${KEEP:-}" ] || trap 'rm -rf "$T"' EXIT

# train NAME SEED STEPS OPTIONS ..: a run that is there already is not run again
train()
{
    name=$1 seed=$2 n=$3
    shift 3
    [ -e "$name/latest" ] && return
    lm-train -q -j 1 -m "init-$seed" -o "$name" -s "$seed" --val "$D/shards/valid" --eval-every 0 --steps "$n" \
        --batch-tokens 2048 --warmup 3% --decay 50% "$@" "$D/shards/train" || exit 1
}
loss() { lm-metrics -q --kind val -k loss "$1/metrics.lm" | tail -n 1; }
for seed in $seeds; do
    # shellcheck disable=SC2086
    [ -e "init-$seed/config.json" ] || lm-init -s "$seed" $shape --vocab "$D/vocab" -o "init-$seed" || exit 1
done
: >losses
first=${seeds%% *}
less=$((steps * share / 100))
rates='7.5e-4 1.5e-3 3e-3 6e-3'
# shellcheck disable=SC2086
set -- $rates
train "adamw-$1" "$first" "$steps" --opt adamw --lr "$1" &
train "adamw-$2" "$first" "$steps" --opt adamw --lr "$2"
wait
train "adamw-$3" "$first" "$steps" --opt adamw --lr "$3" &
train "adamw-$4" "$first" "$steps" --opt adamw --lr "$4"
wait
for lr in $rates; do
    printf 'seed %s: AdamW, rate %s, %d steps: %.4f\n' "$first" "$lr" "$steps" "$(loss "adamw-$lr")"
    echo "$(loss "adamw-$lr") $lr" >>losses
done
rate=$(sort -g losses | awk 'NR == 1 { print $2 }')
ln -sfn "adamw-$rate" "adamw-$first"
bad=0
for seed in $seeds; do
    train "adamw-$seed" "$seed" "$steps" --opt adamw --lr "$rate" &
    train "muon-$seed" "$seed" "$less" --opt muon --lr 6e-3
    wait
    a=$(loss "adamw-$seed") m=$(loss "muon-$seed")
    printf 'seed %s: AdamW, rate %s, %d steps: %.4f; Muon, %d steps: %.4f\n' "$seed" "$rate" "$steps" "$a" "$less" "$m"
    awk "BEGIN { exit !($m <= $a) }" || bad=1
done
exit $bad
