# lm-ckpt-convert is given a small model.
# shellcheck shell=sh disable=SC2034
operands=model
setup()
{
    . "$ROOT/tests/tinymodel.sh"
    tiny_model model --arch gpt2 --kv-heads 2 --ffn 128
}
# Each form it writes, and each it reads.
faults()
{
    for form in gguf llmc npy; do
        lm-ckpt-convert model --to $form -o model.$form
        try "to $form" "--to $form" ''
    done
    for form in gguf llmc npy; do
        operands=model.$form
        try "from $form" '' ''
    done
}
