# lm-plan: a model by its shape; memory is stated, so that no machine shows.
opts='-m model --seq 16 --batch-tokens 64 --micro 4 --steps 2 --mem 1G'
operands='data'
setup()
{
    . "$ROOT/tests/tokens.sh"
    tokens 20 1 >toks.lm
    lm-shard -o data toks.lm
    lm-init --layers 1 --dim 32 --heads 2 --ffn 32 --vocab-size 64 --seq 64 -o model
}
