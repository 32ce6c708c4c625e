# lm-import reads foreign files: a directory is made for it, larger than a pipe.
# shellcheck shell=sh disable=SC2034
operands=tree
setup()
{
    mkdir -p tree/sub
    cp "$ROOT/tests/probe.c" tree/
    printf 'x = 1\n' >tree/sub/a.py
    head -c 300000 /dev/zero | tr '\0' a >tree/big.txt
}
