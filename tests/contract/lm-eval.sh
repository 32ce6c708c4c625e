# lm-eval needs a model. Scores come at the end, so --each, which passes documents one by one, is held to the items.
# shellcheck shell=sh disable=SC2034
. "$ROOT/tests/tinymodel.sh"
# 19 feeds megabytes: tests/lm-eval.t compares -j on less.
opts='-m m --each' skip=19
setup() { tiny_model m; }
