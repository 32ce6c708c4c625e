#!/bin/sh
# linefilter.sh: lm-linefilter on source code, one thread, against the same figures in Python, and against cat.
set -u
. "${0%/*}/code.inc"
s=$(best "lm-linefilter -j 1 $t/code.lm")
peer=- theirs=''
if [ -x "${LM_PEERS:-}" ]; then
    lm-head -n 100 "$t/code.lm" | lm-linefilter >"$t/few.lm"
    p=$(best "$LM_PEERS ${0%/*}/../peer/linefilter.py check <$t/few.lm")
    theirs=$(rate "$(tail -n 1 "$t/few.lm" | sed 's/.* b=\([0-9]*\).*/\1/' | awk '{ print $1 / 1e6 }')" "$p") peer=python
fi
printf 'lm-linefilter\tMB/s\t%s\t%s\t%s\n' "$(rate "$mb" "$s")" "$peer" "$theirs"
c=$(best "cat $t/code.lm | cat")
printf 'lm-linefilter beside a pipe of cat\tMB/s\t%s\tcat\t%s\n' "$(rate "$mb" "$s")" "$(rate "$mb" "$c")"
