# tinymodel.sh: tiny_model DIR [lm-init options]: a small random model with its vocabulary, for tests.
# shellcheck shell=sh
tiny_model()
{
    t_dir=$1
    shift
    printf 'def add(a, b):\n    return a + b\n\n\ndef sub(a, b):\n    return a - b\n' |
        lm-import - | lm-bpe-train --vocab-size 832 --allow-short -o tiny.vocab &&
        lm-init --layers 2 --dim 32 --heads 2 --kv-heads 1 --head-dim 16 --ffn 64 --seq 64 --dtype f32 \
            --vocab tiny.vocab "$@" -o "$t_dir"
}
