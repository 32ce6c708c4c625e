# lm-bpe-train learns a small vocabulary; a stream without a document is an error of its own (its test).
# shellcheck shell=sh disable=SC2034
opts='--vocab-size 320 --reserve 8'
skip='16'
