# lm-gen needs a model, and prompts to answer.
# shellcheck shell=sh disable=SC2034
. "$ROOT/tests/tinymodel.sh"
opts='-m m -t doc --max-tokens 4 --ctx 32 --truncate left'
seconds=120 # with the kernels of ref
setup() { tiny_model m; }
