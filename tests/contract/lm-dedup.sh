# lm-dedup keeps the order of its input but must have seen all of it before the first record goes out.
# shellcheck shell=sh disable=SC2034
skip='20 22'
