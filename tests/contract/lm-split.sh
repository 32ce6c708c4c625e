# shellcheck shell=sh disable=SC2034
operands=98:1:1
