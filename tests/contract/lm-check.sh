# shellcheck shell=sh disable=SC2034
# 10, 14, 15, 25 hold through -o, which writes the stream that was checked.
