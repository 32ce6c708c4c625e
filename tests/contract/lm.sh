# shellcheck shell=sh disable=SC2034
operands=help
