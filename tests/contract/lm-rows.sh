# lm-rows: an epoch of small shards.
# shellcheck shell=sh disable=SC2034
opts='--seq 16 --batch 2'
operands=data
setup()
{
    . "$ROOT/tests/tokens.sh"
    tokens 20 1 >toks.lm
    lm-shard -o data toks.lm
}
