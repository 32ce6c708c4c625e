# lm-ckpt is given a run of two checkpoints.
# shellcheck shell=sh disable=SC2034
operands='run run/latest'
setup()
{
    . "$ROOT/tests/tinyrun.sh"
    tiny_run run 2
}
