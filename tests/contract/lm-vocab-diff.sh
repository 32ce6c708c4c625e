# lm-vocab-diff is given two small vocabularies that differ.
# shellcheck shell=sh disable=SC2034
operands='v w'
setup()
{
    input | lm-bpe-train -o v --vocab-size 320 --reserve 8
    input | lm-bpe-train -o w --vocab-size 320 --reserve 9
}
