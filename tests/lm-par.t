#!/bin/sh
# lm-par runs copies of a filter; their number does not show.
. "${0%/*}/t.sh"
lm-import -o some.lm "$ROOT/lib" "$ROOT/tests"
for _ in 1 2 3 4 5 6; do cat some.lm; done >in.lm
lm-grep include in.lm >want
for j in 1 2 5; do is "-j $j gives what one filter gives" "timeout 60 lm-par -j $j 'lm-grep include' in.lm | cmp - want" ''; done
is 'by lines stand at the head, once' 'LM_PROV=1 timeout 60 lm-par -j 3 lm-cat in.lm | head -n 6 | grep -a ^%by | sed "s/ ver.*//" | grep -v import' '%by tool=lm-cat
%by tool=lm-par'
is 'notes and segments of the input stay in place' "printf '%%lm 1\n%%# x\n@doc 1\na\n%%seg n=1 b=1\n@doc 1\nb\n%%zz a=1\n%%end n=2 b=2\n' >n.lm; timeout 20 lm-par -j 3 lm-cat n.lm | cmp - n.lm" ''
is 'an empty stream' "stream | timeout 20 lm-par -j 3 lm-cat" "$(stream)"
is 'a command that keeps its last lines until more come' "timeout 60 lm-par -j 2 'sed s/include/INCLUDE/' in.lm | tail -n 1" "$(tail -n 1 some.lm | awk '{ split($2, n, "="); split($3, b, "="); printf "%%end n=%d b=%d\n", n[2] * 6, b[2] * 6 }')"
run 'all copies negative: so is the answer' 1 "timeout 60 lm-par -j 2 'lm-grep no-such-thing-her[e]' in.lm"
run 'one copy negative is none' 0 "timeout 60 lm-par -j 2 'lm-grep lm_xsort_largest' in.lm"
fails 'a copy that dies' 5 "timeout 60 lm-par -j 2 'head -c 200000; kill -9 \$\$' in.lm" 'was killed by signal 9'
fails 'a command that is not there' 5 "timeout 60 lm-par -j 2 no-such-command in.lm" 'ended with status 127'
run 'a copy that fails: its abort is passed on' 4 "timeout 60 lm-par -j 2 'lm-cut --set a=\"\$(head -c 70000 /dev/zero | tr \"\\0\" x)\"' in.lm 2>/dev/null"
cp "$out" kept; like 'unchanged' 'tail -n 1 kept' '^%abort code=3 tool=lm-cut'
fails 'a copy that leaves early' 3 "timeout 60 lm-par -j 2 'lm-head -n 5' in.lm" "lm-head -n 5' ended before its input"
fails 'a copy that cuts its output' 3 "timeout 60 lm-par -j 2 'head -c 90000' in.lm" 'truncated: copy'
is 'nothing of these claims to be whole' "for c in 'exit 0' 'head -c 90000' 'lm-head -n 5' 'kill -9 \$\$'; do timeout 60 lm-par -j 2 \"\$c\" in.lm 2>/dev/null | tail -n 1 | grep -a ^%end; done" ''
is '-o leaves nothing then' "timeout 60 lm-par -j 2 -o out.lm 'head -c 90000' in.lm 2>/dev/null; ls out.lm* 2>/dev/null" ''
run 'a reducer is told' 3 "timeout 60 lm-par -j 2 lm-shuffle in.lm"
done_testing
