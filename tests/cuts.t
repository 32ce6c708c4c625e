#!/bin/sh
# A stream cut anywhere is never taken for whole: lm-check and lm-cat say truncated or corrupt and exit 3.
# tests/unit/cuts.c cuts at every byte of 64 KiB below these tools; here processes are started, so every
# 257th byte and 60 places of a larger file must do; LM_CUTS=all asks at every byte and at 1,000 places.
. "${0%/*}/t.sh"
probe=${BIN%bin}tests/probe
[ -x "$probe" ] || MAKEFLAGS='' make -s -C "$ROOT" CONF="$CONF" helpers >&2 || exit 1
case ${LM_CUTS:-some} in all) step=1 places=1000 ;; *) step=257 places=60 ;; esac

lm-import -o in.lm "$ROOT/lib" "$ROOT/man"
size=$(wc -c <in.lm)
for tool in lm-check lm-cat; do
    is "$tool sees cuts in the first 64 KiB" "$probe cuts in.lm 0 65536 $step $tool" ''
    is "$tool sees cuts at $places places" "awk -v n=$places -v size=$size 'BEGIN {
        srand(3); for (i = 0; i < n; i++) print int(rand() * size) }' |
        while read -r at; do $probe cuts in.lm \$at \$((at + 1)) 1 $tool; done" ''
done
head -c $((size - 1)) in.lm >cut.lm
fails 'the loss of the very last LF is seen' 3 'lm-check cut.lm' 'truncated'
sed '$d' in.lm >cut.lm
fails 'a file without its end is truncated' 3 'lm-check cut.lm' 'truncated: the stream has no %end'
{ sed '$d' in.lm; cat in.lm; } >cut.lm
fails 'a stream that begins inside another shows a cut' 3 'lm-check cut.lm' 'truncated'
done_testing
