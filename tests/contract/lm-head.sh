# shellcheck shell=sh disable=SC2034
opts='-n 100M' # more than there are: the end of the input is met
