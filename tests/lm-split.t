#!/bin/sh
# lm-split deals to sets by hash.
. "${0%/*}/t.sh"
many() { seq 1 "$1" | awk 'BEGIN { print "%lm 1" } { printf "@doc %d n=%d repo=r%d%s\n%s\n", length($1), $1, $1 % 300, $1 % 7 ? "" : " dup=c" int($1 / 70), $1; b += length($1) } END { printf "%%end n=%d b=%d\n", NR, b }'; }
many 3000 >in.lm

is 'sets have their shares' 'lm-split 8:1:1 in.lm | lm-ls -k split | sort | uniq -c | awk "{ print \$2, (\$1 > 2250 && \$1 < 2550) || (\$1 > 230 && \$1 < 370) }"' 'test 1
train 1
valid 1'
is 'chi-square over ten equal sets is in bounds' 'lm-split --names a,b,c,d,e,f,g,h,i,j 1:1:1:1:1:1:1:1:1:1 in.lm | lm-ls -k split | sort | uniq -c | awk "{ x += (\$1 - 300) ^ 2 / 300 } END { print NR, x < 27.9 }"' '10 1'
is 'records that come later move no earlier one' 'lm-split 8:1:1 in.lm | lm-ls -k n,split >a; many 4000 | lm-split 8:1:1 | lm-ls -k n,split | head -n 3000 | cmp - a' ''
is 'order does not matter' 'sort a >b; lm-shuffle in.lm | lm-split 8:1:1 | lm-ls -k n,split | sort | cmp - b' ''
is '--by keeps groups whole' 'lm-split --by repo 5:3:2 in.lm | lm-ls -k repo,split | sort -u | wc -l' 300
is '--by falls back to the id' 'lm-split --by none 8:1:1 in.lm | lm-ls -k n,split | cmp - a' ''
is '--also sends a group met in two sets to the first' 'lm-split --also dup 1:1 in.lm | lm-ls -k dup,split >c; grep -v ^- c | sort -u | awk "{ n[\$1]++ } n[\$1] > 1"; grep -v ^- c | grep -vc train' 0
is 'others are where they were' 'lm-split 1:1 in.lm | lm-ls -k dup,split | grep ^- >d; grep ^- c | cmp - d' ''
run '-o writes a file a set' 0 'lm-split --names new,old 9:1 -o sets in.lm'
is 'that hold all, whole' 'ls sets; lm-check sets/new.lm sets/old.lm && seq 1 3000 >all; lm-ls -k n sets/*.lm | sort -n | cmp - all' 'new.lm
old.lm'
is 'and no split attribute' 'lm-ls -k split sets/new.lm | sort -u' -
is 'on failure no folder is left' 'sed "\$d" in.lm | lm-split -o none 1:1 2>/dev/null; ls -d none*' ''
is 'a weight of 0 gets nothing' 'lm-split 0:1 in.lm | lm-ls -k split | sort -u' valid
fails 'weights are numbers' 2 'lm-split 1:x in.lm' 'weights are whole numbers'
run 'names and weights must agree' 2 'lm-split --names a,b 1:1:1 in.lm'
run 'a name is no path' 2 'lm-split --names ../a,b 1:1 in.lm'
done_testing
