#!/bin/sh
# lm-map runs a command once a record.
. "${0%/*}/t.sh"
printf '%%lm 1\n@doc 3 path=a.c n-lines=1 path=z\nabc\n@tok 2 v=%%00x prov=9\nde\n%%end n=2 b=5\n' >in.lm

is 'stdout is the new body' 'lm-map "tr a-z A-Z" in.lm | tail -n 4' 'ABC
@tok 2 v=%00x prov=9
DE
%end n=2 b=5'
is 'attributes are in the environment, upper case, _ for -, the first of a repeated key' 'lm-map -t doc "echo \$LM_TYPE \$LM_PATH \$LM_N_LINES" in.lm | sed -n 3p' 'doc a.c 1'
is 'a NUL comes as written; the settings of the toolkit stay' 'lm-map -t tok "echo \$LM_V \$LM_PROV" in.lm | sed -n 5p' '%00x 0'
is 'attributes of outer runs do not show' 'LM_PATH=outer lm-map -t tok "echo x\$LM_PATH" in.lm | sed -n 5p' x
is '--attr takes the first line and keeps the body' 'lm-map --attr a "echo one; echo two" -t tok in.lm | tail -n 3' '@tok 2 v=%00x prov=9 a=one
de
%end n=2 b=5'
is '-x: status 1 drops' "lm-map -x 'grep -q b && echo kept' in.lm | lm-ls" '@doc 5 path=a.c n-lines=1 path=z'
is 'to -r as well' "lm-map -x -r r.lm 'exit 1' in.lm >/dev/null; lm-ls -k @type,drop r.lm" 'doc lm-map:map:1
tok lm-map:map:1'
fails 'without -x it fails' 5 'lm-map "exit 1" in.lm' "in.lm:0:6: io: 'exit 1' ended with status 1"
fails 'other statuses fail with it too' 5 'lm-map -x "exit 2" in.lm' 'ended with status 2'
fails 'so does a signal' 5 "lm-map 'kill -9 \$\$' in.lm" 'killed by signal 9'
fails 'a command not in time is killed' 5 'lm-map --timeout 200ms "sleep 20" in.lm' 'took longer than 200ms'
is 'with all that it started' 'lm-map --timeout 200ms "sleep 77.25 & sleep 77.25; :" in.lm >/dev/null 2>&1; ps ax -o args= 2>/dev/null | grep "^sleep 77[.]25"' ''
is 'a command need not read' 'stream a=1 "$(head -c 300000 /dev/zero | tr "\0" x)" | lm-map "echo hi" | sed -n 3p' hi
is 'large bodies go through' 'head -c 3000000 /dev/zero | tr "\0" y >big; lm-import --max-bytes 10M - <big | lm-map cat | lm-export --to text | cmp - big' ''
is '-j keeps the order' "seq 1 30 | awk 'BEGIN { print \"%lm 1\" } { printf \"@doc 0 n=%d\n\n\", \$1 } END { print \"%end n=30 b=0\" }' | lm-map -j 4 'sleep 0.0\$((LM_N % 3)); echo \$LM_N' | grep -a '^[0-9]' | tr '\n' ' '" "$(seq 1 30 | tr '\n' ' ')"
run 'a bad time is a usage error' 2 'lm-map --timeout 5x cat in.lm'
run 'so is a bad key' 2 'lm-map --attr A cat in.lm'
done_testing
