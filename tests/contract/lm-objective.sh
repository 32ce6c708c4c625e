# lm-objective is given a small vocabulary with masks, and ids made with it.
# shellcheck shell=sh disable=SC2034
opts='--vocab v'
setup()
{
    stream 'id=0123456789abcdef0123456789abcdef path=a.c' "$(cat "$ROOT/tests/probe.c")" \
        'id=1123456789abcdef0123456789abcdef path=b' 'ab  cd' 'path=empty' '' >docs.lm
    lm-bpe-train -o v --vocab-size 800 --reserve 512 --allow-short docs.lm
}
input() { lm-tok --vocab v docs.lm; }
