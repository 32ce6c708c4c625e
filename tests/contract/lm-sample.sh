# shellcheck shell=sh disable=SC2034
opts='-p 1'
