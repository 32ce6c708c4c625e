#!/bin/sh
# lm-check verifies, and saves what is whole.
. "${0%/*}/t.sh"
seq 1 50 | awk 'BEGIN { print "%lm 1" } { printf "@doc %d n=%d\n%s\n", 20, $1, "body of " sprintf("%012d", $1) } END { print "%end n=50 b=1000" }' >in.lm
is 'a whole file: nothing is said' 'lm-check in.lm; echo $?' 0
is '-o writes what was checked' 'lm-check -o out.lm in.lm; lm-cat out.lm | cmp - in.lm' ''
fails 'wrong counts' 3 "sed 's/n=50 b/n=51 b/' in.lm | lm-check" 'corrupt: 50 records'
lm-cat -o crc.lm in.lm
fails 'a changed byte, by the checksum' 3 "sed 's/000000000007/000000000008/' crc.lm | lm-check" 'checksum'
printf '%%lm 1\n@tok 4 dt=u16 shape=3\nabcd\n%%end n=1 b=4\n' >arr.lm
fails 'an array that does not fill its body' 3 'lm-check arr.lm' 'arr.lm:0:6: invalid'
printf '%%lm 1\n@tok 4 dt=u16 shape=1\nabcd\n%%end n=1 b=4\n' >arr.lm
fails 'one that leaves bytes over' 3 'lm-check arr.lm' 'longer than its arrays'

# saved NAME FILE NUMBERS: salvage gives status 1, a whole stream, and the records with these numbers
saved()
{
    run "$1: status 1" 1 "lm-check --salvage -o saved.lm $2"
    cp "$err" lost
    is "$1: what is whole is written" 'lm-check saved.lm && lm-ls -k n saved.lm | awk "NR == 1 || \$1 != last + 1 { printf \"%s%s\", sep, \$1; sep = \" \" } { last = \$1 }
        END { print \" to \" last }"' "$3"
}
is 'salvage of a whole file loses nothing' 'lm-check --salvage in.lm | lm-cat | cmp - in.lm' ''
head -c 1000 in.lm >bad.lm
saved 'a cut' bad.lm '1 to 29'
like 'the lost range is told' 'cat lost' 'bad.lm: lost bytes 983 to 1000 \(17\)'
{ head -c 500 in.lm; printf 'rubbish\n@doc 5\n'; tail -c +501 in.lm; } >bad.lm
saved 'bytes put in' bad.lm '1 16 to 50'
{ head -c 500 in.lm; tail -c +601 in.lm; } >bad.lm
saved 'bytes taken out' bad.lm '1 19 to 50'
sed 's/^@doc 20 n=30$/@doc 2O n=30/' in.lm >bad.lm
saved 'a damaged header' bad.lm '1 31 to 50'
sed '1,3d' in.lm >bad.lm
saved 'a lost head' bad.lm '2 to 50'
sed 's/^%end.*/%abort code=5 tool=x msg=y/' in.lm >bad.lm
saved 'an abort' bad.lm '1 to 50'
{ head -c 700 in.lm; cat in.lm; } >bad.lm
saved 'a stream begun inside another' bad.lm '1 1 to 50'
{ sed '/^@doc 20 n=7$/,/^body/d' in.lm; } >bad.lm
saved 'a record gone whole' bad.lm '1 8 to 50'
{ sed '$d' in.lm; printf '@doc 60\n@doc 2\nab\n@doc 2\ncd\n@x\n'; } >bad.lm
saved 'a body with false headers at the end of a cut' bad.lm '1 to 50'
run 'an empty file holds nothing' 1 'lm-check --salvage -o saved.lm /dev/null'
lm-cat -o in.lm.zst in.lm; head -c $(($(wc -c <in.lm.zst) / 2)) in.lm.zst >bad.lm.zst
run 'a cut compressed file can be salvaged too' 1 'lm-check --salvage -q -o saved.lm bad.lm.zst'
done_testing
