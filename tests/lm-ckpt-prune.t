#!/bin/sh
# lm-ckpt-prune removes what its rule says, and never the last whole checkpoint.
. "${0%/*}/t.sh"
. "$ROOT/tests/tinyrun.sh"
tiny_run run 6
again() { rm -rf r; cp -r run r; }
left() { (cd r && echo step-*); }
gone() { lm-ckpt-prune "$@" r | cut -d ' ' -f 1 | tr '\n' ' '; }
again
is 'it tells what would go' 'gone --keep 2 --major 0' 'r/step-00000001 r/step-00000002 r/step-00000003 r/step-00000004 '
is '.. and removes nothing' left "$(cd run && echo step-*)"
is 'a multiple of the period stays' 'gone --keep 1 --major 2 --every 2' 'r/step-00000001 r/step-00000002 r/step-00000003 r/step-00000005 '
is 'the defaults are those of lm-train' 'gone' 'r/step-00000001 r/step-00000002 r/step-00000003 '
is 'a table' 'lm-ckpt-prune --tsv --keep 5 r | sed "2,\$s/[0-9]*$/N/"' 'path	step	bytes
r/step-00000001	1	N'
is '.. with the size of the folder' 'lm-ckpt-prune --tsv --keep 5 r | sed -n "2s/.*\t//p"' \
    "$(find run/step-00000001 -type f -exec cat {} + | wc -c | tr -d ' ')"
run '-f removes them' 0 'lm-ckpt-prune -f r >told'
is '.. and those alone' left 'step-00000004 step-00000005 step-00000006'
run '.. and what stays is as it was' 0 'for s in 4 5 6 ; do diff -r r/step-0000000$s run/step-0000000$s || exit 1; done'
run 'nothing more is to go' 0 'lm-ckpt-prune -f --keep 3 r >told && [ ! -s told ]'
again
mkdir r/step-00000007.tmp-12345 && echo x >r/step-00000007.tmp-12345/config.json && ln -s step-00000007 r/latest.tmp-12345
is 'what a killed writer left' 'gone --keep 9' 'r/latest.tmp-12345 r/step-00000007.tmp-12345 '
run '.. goes with -f' 0 'lm-ckpt-prune -f --keep 9 r >told && ! ls -d r/*.tmp-* 2>/dev/null && [ "$(readlink r/latest)" = step-00000006 ]'

# --- what never goes
again
flip r/step-00000006/model.safetensors 9000; flip r/step-00000005/state.json 9
is 'the newest whole one stays, though it is not among the newest' 'gone --keep 1 --major 0' 'r/step-00000001 r/step-00000002 r/step-00000003 r/step-00000005 '
run '.. and the run goes on from there' 0 'lm-ckpt-prune -f --keep 1 --major 0 r >told; tiny_run r 6 && lm-metrics --kind event -k event r/metrics.lm | grep ckpt-damaged && diff -r r/latest/ run/latest/'
again
rm r/latest && ln -s step-00000002 r/latest
is 'what latest points to stays' 'gone --keep 1 --major 0' 'r/step-00000001 r/step-00000003 r/step-00000004 r/step-00000005 '
again
for s in 1 2 3 4 5 6; do rm r/step-0000000$s/tokenizer.json; done
fails 'none is whole: nothing goes' 3 'lm-ckpt-prune -f --keep 1 --major 0 r' '^lm-ckpt-prune: r/step-00000006/tokenizer.json: missing: '
is '.. at all' left "$(cd run && echo step-*)"
again
exec 8<r/lock && flock 8
fails 'a run in which a trainer works: not touched' 5 'lm-ckpt-prune -f --keep 1 r' 'r/lock: io: another process works in this run'
fails '.. not even told of' 5 'lm-ckpt-prune --keep 1 r' 'r/lock: io: another process works in this run'
exec 8<&-
is '.. nothing went' left "$(cd run && echo step-*)"
rm r/lock
run 'a run without a lock, as a copy is' 0 'lm-ckpt-prune --keep 1 --major 0 r >told && [ ! -e r/lock ] && lm-ckpt-prune -f --keep 1 --major 0 r >told && [ "$(left)" = step-00000006 ]'
again
mkdir r/step-7 r/step-000000008 && echo x >r/step-7/x
run 'other names are not checkpoints' 0 'lm-ckpt-prune -f --keep 1 --major 0 r >told && [ -e r/step-7/x ] && [ -d r/step-000000008 ]'
run 'the removal is the one lm-train makes' 0 'tiny_run t 6 --keep 2 --major 3; again; lm-ckpt-prune -f --keep 2 --major 3 --every 1 r >told; (cd t; echo step-*) >a; left | cmp - a'
run 'a folder that is no run is left alone' 0 'mkdir no; lm-ckpt-prune -f no >told && [ ! -s told ] && [ ! -e no/lock ]'
fails 'a folder that is not there' 5 'lm-ckpt-prune none' '^lm-ckpt-prune: none: io: '
fails 'keeping none is not possible' 2 'lm-ckpt-prune --keep 0 r' 'keep'
done_testing
