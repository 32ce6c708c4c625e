# lm-train: two steps of a small model.
opts='-q -m model --seq 16 --batch-tokens 64 --micro 4 --steps 2'
operands='data'
setup()
{
    . "$ROOT/tests/tokens.sh"
    tokens 20 1 >toks.lm
    lm-shard -o data toks.lm
    lm-init --layers 1 --dim 32 --heads 2 --ffn 32 --vocab-size 64 --seq 64 -o model
}
equal='./step-*'    # metrics.lm has clock and speed; tests/lm-train.t compares the rest
stays='latest'      # a run that failed may go on: what was whole stays, but no checkpoint that is not
