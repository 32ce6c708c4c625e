# shellcheck shell=sh disable=SC2034
opts='-t doc' operands=cat # a process a record: few of them; other types must pass raw
copies=20
skip='22' # ten thousand processes would take minutes
