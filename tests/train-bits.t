#!/bin/sh
# The bits of a training do not depend on threads, level of instructions, cut into micro-batches, recomputing and records:
# the quick part of tests/slow/train-bits.sh, for the families whose norms, positions and tensors differ most.
. "${0%/*}/t.sh"
t_do 'sh "$ROOT/tests/slow/train-bits.sh" -q gpt2 mpt'
cp "$out" table
while read -r line; do
    case $line in
    *' equal') t_ok "$line" ;;
    *' skipped: '*) t_ok "${line%%skipped: *}# SKIP ${line#*skipped: }" ;;
    *) t_not "$line" 'not the same bits' ;;
    esac
done <table
run 'each family has its table' 0 '[ "$(grep -c "^gpt2 " table)" = 14 ] && [ "$(grep -c "^mpt " table)" = 14 ]'
done_testing
