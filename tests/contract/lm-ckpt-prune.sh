# lm-ckpt-prune is given a run of four checkpoints.
# shellcheck shell=sh disable=SC2034
opts='--keep 1 --major 0'
operands='run'
setup()
{
    . "$ROOT/tests/tinyrun.sh"
    tiny_run run 4
}
