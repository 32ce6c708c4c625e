#!/bin/sh
# lm-sample: keyed, nested, blind to order.
. "${0%/*}/t.sh"
seq 1 2000 | awk 'BEGIN { print "%lm 1" } { printf "@doc %d n=%d repo=r%d\n%s\n", length($1), $1, $1 % 100, $1; b += length($1) } END { printf "%%end n=2000 b=%d\n", b }' >in.lm
lm-shuffle -s 9 in.lm >mixed.lm
s() { lm-sample "$@" | lm-ls -k n | sort; }
s -p .1 in.lm >p1; s -p .2 in.lm >p2

is 'a rate is met' 'n=$(wc -l <p1); [ $n -gt 150 ] && [ $n -lt 250 ] && echo yes' yes
is 'a smaller sample lies in a larger one' 'comm -23 p1 p2' ''
is 'order does not matter' 's -p .1 mixed.lm | cmp - p1' ''
is 'records stay in order' 'lm-sample -p .3 in.lm | lm-ls -k n >a; sort -n a | cmp - a; lm-sample -n 50 in.lm | lm-ls -k n >a; sort -n a | cmp - a' ''
is 'another seed, another sample' 's -p .1 -s 1 in.lm | cmp -s - p1 || echo other' other
is 'all and nothing' 'lm-sample -p 1 in.lm | cmp - in.lm; lm-sample -p 0 in.lm | tail -n 1' '%end n=0 b=0'
s -n 100 in.lm >n100
is '-n passes so many, the same in any order, with any memory' 'wc -l <n100; s -n 100 -m 1M mixed.lm | cmp - n100' 100
is '-n is nested too, and in -p' 's -n 30 in.lm | comm -23 - n100; s -n 100 in.lm | comm -23 - p1' ''
is '-n over the number passes all' 'lm-sample -n 5000 in.lm | cmp - in.lm' ''
is '--bytes is a bound on bodies' 'lm-sample --bytes 100 in.lm | tail -n 1 | sed "s/.*b=//" | awk "{ print (\$1 <= 100 && \$1 > 90) }"' 1
is '-k takes whole groups' 'lm-sample -p .2 -k repo in.lm | lm-ls -k repo | sort | uniq -c | awk "\$1 != 20"' ''
is 'with -n as well, in any order' 'lm-sample -n 130 -k repo in.lm | lm-ls -k repo | sort | uniq -c | sort >a; wc -l <a; awk "\$1 != 20" a; lm-sample -n 130 -k repo mixed.lm | lm-ls -k repo | sort | uniq -c | sort | cmp - a' 6
is 'copies of one record count one by one' 'for i in 1 2 3 4; do cat in.lm; done | lm-sample -n 10 | lm-ls | wc -l' 10
is 'what is spilled comes back whole' 'for i in 1 2 3 4 5 6 7 8; do head -c 400000 /dev/urandom | tr -dc a-z | lm-import -; done >big.lm; lm-cat big.lm >big; lm-sample -n 8 -m 1M big.lm | cmp - big' ''
run 'no measure is a usage error' 2 'lm-sample in.lm'
run 'two of them as well' 2 'lm-sample -p .1 -n 4 in.lm'
done_testing
