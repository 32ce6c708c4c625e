# lm-vocab-stats is given a small vocabulary.
# shellcheck shell=sh disable=SC2034
opts='--vocab v'
setup() { input | lm-bpe-train -o v --vocab-size 320 --reserve 8; }
