#!/bin/sh
# The tasks of examples/codelm: every reference passes, and nothing at all does not.
. "${0%/*}/t.sh"
alone box
tasks=$ROOT/examples/codelm/tasks
LM_TASKS=$tasks
export LM_TASKS
counts() { heads | sed -n 's/^@verdict .*verdict=\([A-Z_]*\).*/\1/p' | sort | uniq -c | tr -s ' '; }

for dir in "$tasks"/*/; do
    name=$(basename "$dir")
    n=$(lm-task "$name" | heads | grep -c '^@prompt')
    run "$name has at least six problems" 0 "[ $n -ge 6 ]"
    t_do "lm-task $name --solutions | lm-exec"
    if grep -q facility "$err"; then note "$(cat "$err")"; continue; fi
    is "$name: every reference passes" "lm-task $name --solutions | lm-exec | counts" " $n PASS"
    lm-task "$name" --solutions | awk 'n>0{n-=length($0)+1;next} /^@gen/{n=$2+1;sub(/^@gen [0-9]*/,"@gen 0");print;print "";k++;next} /^@/{n=$2+1;next} {next}
        BEGIN{print "%lm 1"} END{printf "%%end n=%d b=0\n",k}' >empty.lm
    is "$name: no empty completion passes" 'lm-exec empty.lm | counts | grep PASS' ''
done
done_testing
