#!/bin/sh
# lm-dedup drops documents that equal or resemble another, the same ones in any order, and says which.
. "${0%/*}/t.sh"

# docs ORDER: 200 random documents of 60 lines; 40 of them again as they are (copy/N), 40 with their
# lines 21-32 replaced (block/N), 40 with every fifth line replaced (fifth/N): 20 % edited each; 40 with
# lines 31-33 replaced (small/N); 20 short ones that share nothing. ORDER seeds the order of the records.
docs()
{
    awk -v order="$1" '
        function rnd(n) { seed = (seed * 16807) % 2147483647; return int(seed / 2147483647 * n) }
        function line(  i, s) { s = "w" rnd(20000); for (i = 0; i < 7; i++) s = s " w" rnd(20000); return s "\n" }
        function put(name, text) { path[n] = name; body[n++] = text }
        BEGIN {
            seed = 12345; n = 0
            name[0] = "copy"; name[1] = "block"; name[2] = "fifth"; name[3] = "small"
            for (d = 0; d < 200; d++) {
                for (i = 1; i <= 60; i++) l[i] = line()
                kind = int(d / 40)
                orig = copy = ""
                for (i = 1; i <= 60; i++) {
                    orig = orig l[i]
                    edit = (kind == 1 && i > 20 && i <= 32) || (kind == 2 && i % 5 == 3) || (kind == 3 && i > 30 && i <= 33)
                    copy = copy (edit ? line() : l[i])
                }
                put("orig/" d, orig)
                if (kind < 4) put(name[kind] "/" d, copy)
            }
            for (d = 0; d < 20; d++) put("short/" d, "one" d " two" d)
            seed = order * 7919 + 1
            for (i = n - 1; order && i > 0; i--) {
                j = rnd(i + 1)
                t = path[i]; path[i] = path[j]; path[j] = t
                t = body[i]; body[i] = body[j]; body[j] = t
            }
            print "%lm 1"
            for (i = 0; i < n; i++) {
                printf "@doc %d path=%s stars=%d\n%s\n", length(body[i]), path[i], path[i] ~ /^orig/, body[i]
                b += length(body[i])
            }
            printf "%%end n=%d b=%d\n", n, b
        }'
}
paths() { heads "$@" | sed 's/.*path=\([^ ]*\).*/\1/'; }
docs 0 >in.lm

is 'exact copies go and nothing else under --near off' \
    'lm-dedup --near off in.lm >ex.lm; paths ex.lm | sort >ex; paths in.lm | sort | comm -23 - ex | sed "s:/.*::" | sort | uniq -c | tr -s " "' ' 40 copy'
is 'all planted copies and slightly edited documents are found at the default threshold' \
    'lm-dedup in.lm >out7.lm; paths out7.lm >o7; grep -c "copy\|small" o7; grep -c "orig\|short" o7' '0
220'
is 'all 20 % edited ones, too, at --near 0.3' \
    'lm-dedup --near .3 -T dup.lm in.lm >out3.lm; paths out3.lm | sed "s:/.*::" | sort | uniq -c | tr -s " "' ' 200 orig
 20 short'
is 'the table has a row for each of the 160 and names the right original' \
    'heads dup.lm | grep -c "^@dup 0 id="; heads dup.lm | sed "s:.* path=[a-z]*/\([0-9]*\) of-path=orig/\([0-9]*\).*:\1 \2:" | awk "{n += \$1 == \$2} END {print n}"' '160
160'
is 'the similarity told is near the true one: 308 shingles of 568 for lines 21-32 replaced' \
    'heads dup.lm | grep path=block/ | sed "s/.*dup-sim=\([^ ]*\).*/\1/" | awk "{s += \$1; n++} END {m = s / n; print n, (m > .62 && m < .69)}"' '40 1'
is 'fifth lines replaced: every line of eight words takes twelve shingles with it' \
    'heads dup.lm | grep path=fifth/ | sed "s/.*dup-sim=\([^ ]*\).*/\1/" | awk "{s += \$1; n++} END {m = s / n; print n, (m > .50 && m < .58)}"' '40 1'
is 'rejected documents say the rule and the survivor' \
    'lm-dedup -r rej.lm in.lm >/dev/null; heads rej.lm | grep -c "drop=lm-dedup:exact:[0-9a-f]\{32\}$"; heads rej.lm | grep -c "drop=lm-dedup:near:[0-9a-f]\{32\}$" | awk "{print (\$1 >= 40)}"' '40
1'
n_of() { tail -n 1 "$1" | sed 's/%end n=\([0-9]*\) .*/\1/'; }
is 'in = out + rejected' 'lm-dedup -r rej.lm -o o.lm in.lm; echo $(($(n_of o.lm) + $(n_of rej.lm) - $(n_of in.lm)))' 0

paths out7.lm | sort >want
for s in 1 2 3 4 5; do
    docs $s >"shuffled$s.lm"
    lm-dedup "shuffled$s.lm" | paths | sort >"got$s"
    bytes "shuffle $s: the same survivors" want "got$s"
    lm-dedup -T "t$s.lm" "shuffled$s.lm" >/dev/null
done
bytes 'the table does not depend on the order either' t1.lm t5.lm
is 'survivors keep the order of the input' 'lm-dedup shuffled1.lm | paths >a; paths shuffled1.lm | grep -Fxf a | cmp - a && echo same' same
run 'what passes twice is what passed once' 0 'lm-dedup out7.lm >twice.lm && cmp out7.lm twice.lm'
run '-j 1 = -j 2' 0 'lm-dedup -j 1 --mark -T a.lm in.lm >1.lm; lm-dedup -j 2 --mark -T b.lm in.lm >2.lm; cmp 1.lm 2.lm && cmp a.lm b.lm'
run 'every kernel level gives the same bytes' 0 'LM_DEVICE=ref lm-dedup --mark in.lm | cmp - 1.lm && LM_DEVICE=auto lm-dedup --mark in.lm | cmp - 1.lm'
fails 'an unknown LM_DEVICE is refused' 2 'LM_DEVICE=fast lm-dedup in.lm' 'LM_DEVICE=fast'
run '--mark twice is --mark once' 0 'lm-dedup --mark 1.lm | cmp - 1.lm'
is '--mark drops nothing' 'tail -n 1 1.lm | cut -d" " -f2' n=380
is '--mark takes back what no longer holds' 'lm-dedup --mark --near off 1.lm | heads | grep -c "dup-of\|dup-sim\|dup-cluster\|dup-size"' 0
run 'files, stdin and a pipe are the same' 0 'lm-dedup <in.lm | cmp - out7.lm && cat in.lm | lm-dedup - | cmp - out7.lm'

# memory: 40 MB of documents under a bound of 32 MB go through the disk
big() { awk 'BEGIN { print "%lm 1"; for (i = 0; i < 40; i++) { s = ""; for (j = 0; j < 2000; j++) s = s sprintf("%d_%d ", i % 20, j * (i % 20 + 1)); while (length(s) < 1000000) s = s s; printf "@doc %d path=%d\n%s\n", length(s), i, s; b += length(s) } printf "%%end n=40 b=%.0f\n", b }'; }
big >big.lm
mkdir spill
run 'spilled or not: the same bytes' 0 'lm-dedup -m 32M --tmp spill big.lm >a.lm; lm-dedup -m 1G big.lm | cmp - a.lm'
is 'nothing is left in --tmp' 'ls spill' ''
is 'the big ones are found' 'tail -n 1 a.lm | cut -d" " -f2' n=20
fails 'a missing --tmp is told when it is needed' 5 'lm-dedup -m 32M --tmp nowhere big.lm' 'io: .*temporary file'

# who is kept
stream id=02 'same words here' id=01 'same words here' id=03 'other' >ids.lm
is 'the least id is kept' 'lm-dedup ids.lm | heads | cut -d" " -f3' 'id=01
id=03'
stream 'id=01 lic-type=copyleft stars=9' 'same words here' 'id=02 lic-type=permissive stars=2' 'same words here' 'id=03 lic-type=permissive stars=10' 'same words here' >lic.lm
is 'a permissive licence, then stars by value decide' 'lm-dedup lic.lm | heads | cut -d" " -f3' id=03
is '--rank takes other keys' 'lm-dedup --rank stars,id lic.lm | heads | cut -d" " -f3' id=02
is 'a missing key comes last either way' 'lm-dedup --rank=-forks lic.lm | heads | cut -d" " -f3; stream id=05 x id=09\ forks=1 x | lm-dedup --rank=-forks | heads | cut -d" " -f3; stream id=05 x id=09\ forks=1 x | lm-dedup --rank=forks | heads | cut -d" " -f3' 'id=01
id=09
id=09'
is '--mark names the survivor of an equal' 'lm-dedup --mark ids.lm | heads' '@doc 15 id=02 dup-exact=01
@doc 15 id=01
@doc 5 id=03'
is 'short documents that differ stay, in no common cluster' 'stream id=1 a id=2 b id=3 "" id=4 "a b" | lm-dedup --mark | heads' '@doc 1 id=1
@doc 1 id=2
@doc 0 id=3
@doc 3 id=4'
is 'case and punctuation make near duplicates, not equal ones' 'stream id=1 "A b-c (d) e f" id=2 "a B c d E, f" | lm-dedup --mark | heads' '@doc 13 id=1 dup-of=2 dup-cluster=2 dup-size=2 dup-sim=1
@doc 12 id=2 dup-cluster=2 dup-size=2'
printf '%%lm 1\n@doc 3 id=1\na\000b\n@doc 3 id=2\nA\000b\n@doc 3 id=3\na\000b\n%%end n=3 b=9\n' >bin.lm
is 'binary documents are compared for equality alone' 'lm-dedup bin.lm | heads' '@doc 3 id=1
@doc 3 id=2'
is '--verify keeps what bands alone would join' \
    'lm-dedup --near .3 --verify .6 in.lm | paths | grep -c fifth | awk "{print (\$1 >= 35)}"; lm-dedup --near .3 --verify .3 in.lm | paths | grep -c fifth' '1
0'
is 'other records pass in place' 'stream id=1 x @task\ name=t y id=2 x id=3 z | lm-dedup | heads' '@doc 1 id=1
@task 1 name=t
@doc 1 id=3'
is '-s changes signatures, not what a sure duplicate is' 'lm-dedup -s 7 in.lm | paths | grep -c "copy\|small"' 0
fails '--near out of range is a usage error' 2 'lm-dedup --near 1.5 in.lm' 'near 1.5'
fails 'a key that is none is a usage error' 2 'lm-dedup --rank id,,x in.lm' 'no attribute'
fails '--mark and -r contradict each other' 2 'lm-dedup --mark -r x.lm in.lm' 'drops nothing'
run '--counts tells the funnel' 0 'lm-dedup --counts c.lm in.lm >/dev/null && heads c.lm | grep -q "rule=exact records=40"'
done_testing
