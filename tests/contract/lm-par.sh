# shellcheck shell=sh disable=SC2034
operands=lm-cat
skip='22' # copies of the command hold pipes and batches until all are at work
