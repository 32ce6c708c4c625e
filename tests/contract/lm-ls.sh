# lm-ls hops over bodies and never holds one.
# shellcheck shell=sh disable=SC2034
skip='12b'
