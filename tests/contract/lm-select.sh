# shellcheck shell=sh disable=SC2034
opts='-e !no-such?' # holds for every record
