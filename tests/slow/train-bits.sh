#!/bin/sh
# train-bits.sh [-q] [FAMILY ..]: what the bits of a training must not depend on, for each family (all five): threads,
# level of instructions, how rows are cut into micro-batches, how logits are cut into chunks, what is computed again, how
# much is recorded, kill -9 at random moments. Checkpoints are compared file by file, and the step records.
# Prints a line a check, `FAMILY WHAT equal|DIFFERS|skipped`; exit 1 if one differs. -q: few steps, no chunks, no kills.
# Run by hand, some minutes: sh tests/slow/train-bits.sh; the quick part is tests/train-bits.t.
set -u
ROOT=$(cd "${0%/*}/../.." && pwd)
PATH=$ROOT/build/${CONF:-release}/bin:$PATH
. "$ROOT/tests/tokens.sh"
steps=12 quick=''
[ "${1-}" != -q ] || { quick=1 steps=3; shift; }
[ $# -gt 0 ] || set -- qwen3 llama qwen2 gpt2 mpt
unset LM_DEVICE
T=$(mktemp -d) && cd "$T" || exit 1
trap 'rm -rf "$T"' EXIT
bad=0

tokens 200 1 >t.lm
lm-shard -q -o data t.lm || exit 1

# train RUN OPTIONS ..: of the model in $m, by the recipe in $r
# shellcheck disable=SC2086 # options
train() { t_run=$1; shift; lm-train -q -m "$m" -o "$t_run" $r "$@" data 2>msg; }
steps_of() { lm-metrics -q "$1/metrics.lm"; }
say() { printf '%-5s  %-36s  %s\n' "$fam" "$1" "$2"; }
# as WHAT OPTIONS ..: a run with OPTIONS is the run in $base
as()
{
    a_what=$1
    shift
    rm -rf other
    if ! train other "$@"; then
        case $(cat msg) in
        *': facility: '*) say "$a_what" "skipped: $(sed 's/.*: facility: //' msg)" ;;
        *) say "$a_what" "DIFFERS: $(head -n 1 msg)"; bad=1 ;;
        esac
    elif ! diff -r "$base/latest/" other/latest/ >msg 2>&1; then say "$a_what" "DIFFERS: $(head -n 1 msg)"; bad=1
    elif ! steps_of "$base" >a || ! steps_of other >b || ! cmp a b >msg 2>&1; then say "$a_what" 'DIFFERS: step records'; bad=1
    else say "$a_what" equal; fi
}
begin() { rm -rf "$base"; train "$base" "$@" || { say "$base" "DIFFERS: not trained: $(head -n 1 msg)"; bad=1; }; }
levels() { for l in ref avx2 avx512f avx512; do LM_DEVICE=$l as "$1LM_DEVICE=$l"; done; }
family()
{
    case $fam in
    gpt2 | mpt) set -- --heads 4 ;;
    llama) set -- --heads 4 --kv-heads 2 --ffn 96 --tie off ;;
    *) set -- --heads 4 --kv-heads 2 --ffn 96 ;;
    esac
    rm -rf model wide
    lm-init --arch "$fam" --layers 2 --dim 64 --seq 64 --vocab-size 64 "$@" -o model || exit 1
    m=model base=base
    r="--seq 32 --batch-tokens 512 --micro 8 --steps $steps --lr 0.01 --warmup 1 --ckpt-every 100000"
    begin -j 2
    rm -rf other
    # what this script can see: another order of the rows
    if train other -s 1 && ! diff -r base/latest/ other/latest/ >/dev/null; then :; else say 'another order is seen' DIFFERS; bad=1; fi
    as 'again' -j 2
    as '-j 1' -j 1
    as '-j 3' -j 3
    levels ''
    for n in 2 4 16; do as "--micro $n, not 8" --micro $n; done
    for n in none act block; do as "--recompute $n" --recompute $n; done
    as '--stats 2' --stats 2
    [ -z "$quick" ] || return
    base=base32
    r="$r --dtype f32"
    begin -j 2
    as 'f32 -j 1' -j 1
    levels 'f32 '
    as 'f32 --micro 2, not 8' --micro 2
    # with 32768 ids logits are made for 128 tokens at a time: 1, 2 and 6 chunks a micro-batch, the last of 3 is a half
    lm-init --arch "$fam" --layers 1 --dim 64 --seq 64 --vocab-size 32768 "$@" -o wide || exit 1
    m=wide base=chunks
    r='--seq 64 --batch-tokens 768 --steps 2 --lr 0.01 --warmup 1 --ckpt-every 100000'
    begin --micro 1 -j 2
    for n in 2 3 4 12; do as "logits in $(((n + 1) / 2)) chunks, not 1 of 64" --micro $n; done
    what='kill -9, 4 times'
    if sh "$ROOT/tests/slow/train-kill.sh" 4 120 $((seed += 10)) "$fam" >msg 2>&1; then say "$what" equal
    else say "$what" "DIFFERS: $(tail -n 1 msg)"; bad=1; fi
}

seed=1
for fam; do family; done
exit $bad
