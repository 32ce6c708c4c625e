# lm-tok is given a small vocabulary, and checks every document.
# shellcheck shell=sh disable=SC2034
opts='--vocab v --check 1'
setup() { input | lm-bpe-train -o v --vocab-size 320 --reserve 8; }
