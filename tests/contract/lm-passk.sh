# lm-passk reads verdicts; the marks path= are for item 21, which makes other files of them.
# shellcheck shell=sh disable=SC2034
input()
{
    stream '@verdict id=a task=t lang=c verdict=PASS path=1' "$(cat "$ROOT/tests/probe.c")" \
        '@verdict id=b task=t lang=c verdict=FAIL path=2' '' '@verdict id=b task=u lang=c verdict=CPU_LIMIT path=3' 'x'
}
