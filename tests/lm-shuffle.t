#!/bin/sh
# lm-shuffle: a keyed order, whatever the order and the shards of the input, within -m.
. "${0%/*}/t.sh"
probe=${BIN%bin}tests/probe
[ -x "$probe" ] || MAKEFLAGS='' make -s -C "$ROOT" CONF="$CONF" helpers >&2 || exit 1
seq 1 1000 | awk 'BEGIN { print "%lm 1" } { printf "@doc %d n=%d repo=r%d\n%s\n", length($1), $1, $1 % 20, $1; b += length($1) } END { printf "%%end n=1000 b=%d\n", b }' >in.lm
lm-shuffle in.lm >want

is 'all are there, in another order' 'lm-ls -k n want >a; sort -n a >b; seq 1 1000 | cmp - b; cmp -s a b || echo moved' moved
is 'order of the input does not show' 'lm-shuffle -s 5 in.lm | lm-shuffle | cmp - want' ''
is 'nor do its shards, nor copies of a record' 'lm-split --names x,y 1:1 -o d in.lm; lm-shuffle d/y.lm d/x.lm | cmp - want; lm-shuffle in.lm in.lm >two; lm-shuffle two | cmp - two' ''
is 'seed and epoch make other orders' 'lm-shuffle -s 1 in.lm >s; lm-shuffle --epoch 1 in.lm >e; cmp -s s want || cmp -s e want || cmp -s e s || echo three' three
is '--group keeps records together' 'lm-shuffle --group repo in.lm | lm-ls -k repo | uniq | wc -l' 20
is 'but mixes within' 'lm-shuffle --group repo in.lm | lm-ls -k n | head -n 50 >a; sort -n a | cmp -s - a || echo mixed' mixed
is 'ties fall by what records say' "printf '%%lm 1\n@a 0 id=1 x=2\n\n@a 0 id=1 x=1\n\n%%end n=2 b=0\n' | lm-shuffle | lm-ls" '@a 0 id=1 x=1
@a 0 id=1 x=2'
is 'every place is as likely (chi-square)' 'for s in 1 2 3 4 5 6 7 8 9; do lm-shuffle -s $s in.lm | lm-ls -k n | awk "{ c[int((NR - 1) / 100), int((\$1 - 1) / 100)]++ } END { for (k in c) print k, c[k] }"; done | awk "{ n[\$1] += \$2 } END { for (k in n) x += (n[k] - 90) ^ 2 / 90; print x < 140 }"' 1
i=0; while [ $i -lt 40 ]; do i=$((i + 1)); head -c 300000 /dev/urandom | od -An -tx1 | head -c 800000 | lm-import -; done >big.lm
lm-shuffle big.lm >want
is 'spilling does not show' 'lm-shuffle -m 16M big.lm | cmp - want' ''
case $CONF in release) is '-m holds' "k=\$($probe rss lm-shuffle -m 16M -o o.lm big.lm); [ \$k -le 16384 ] || echo \$k KiB" '' ;; esac
is 'nothing is left in the folder of --tmp' 'mkdir t; lm-shuffle -m 16M --tmp t big.lm >/dev/null; ls t' ''
fails 'a folder that is not there' 5 'lm-shuffle -m 16M --tmp none big.lm' 'none: io'
head -c 6000000 /dev/zero | lm-import --max-bytes 100M - >huge.lm
fails 'a record too large for -m is a limit' 3 'lm-shuffle -m 16M huge.lm' 'limit: a record of .* is too large for -m'
done_testing
