# lm-vocab-convert is given a small vocabulary.
# shellcheck shell=sh disable=SC2034
operands=v
setup() { input | lm-bpe-train -o v --vocab-size 320 --reserve 8; }
# Each form it writes, and each it reads.
faults()
{
    lm-vocab-convert v --to tiktoken -o v.tiktoken
    lm-vocab-convert v --to gguf -o v.gguf
    try 'to tiktoken' '--to tiktoken' ''
    try 'to GGUF' '--to gguf' ''
    operands=v.tiktoken
    try 'from tiktoken' '' ''
    operands=v.gguf
    try 'from GGUF' '' ''
}
