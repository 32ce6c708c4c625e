# lm-ckpt-diff is given two checkpoints of a run.
# shellcheck shell=sh disable=SC2034
operands='run/step-00000001 run/latest'
setup()
{
    . "$ROOT/tests/tinyrun.sh"
    tiny_run run 2
}
