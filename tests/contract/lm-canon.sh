# shellcheck shell=sh disable=SC2034
# 17: its work is to change padding, escapes and order of what it does not know.
skip='17'
