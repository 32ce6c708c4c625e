# lm-eval needs a model. Scores come at the end, so --each, which passes documents one by one, is held to the items.
# shellcheck shell=sh disable=SC2034
. "$ROOT/tests/tinymodel.sh"
opts='-m m --each'
setup() { tiny_model m; }
