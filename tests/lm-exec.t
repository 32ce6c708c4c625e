#!/bin/sh
# lm-exec gives each program of the sandbox corpus (tests/box) its verdict, and nothing stays behind.
# A case's first line names the verdicts it may get; the task asks for f() == 1.
. "${0%/*}/t.sh"
alone box
box=$ROOT/tests/box

# The task of a language, as a stream: lang, the test, a solution.
task()
{
    cat <<EOF
%lm 1
@task $((2 * ${#1} + 19)) name=box-$1
name = box-$1
lang = $1
EOF
    part prompt "$1" ''
    part test "$1" "$2"
    part solution "$1" "$3"
}
part() { printf '@%s %d id=f task=box-%s lang=%s\n%s\n' "$1" "${#3}" "$2" "$2" "$3"; }
# gens LANG FILE ..: the files as generations
gens()
{
    lang=$1
    shift
    for f; do
        printf '@gen %d id=f sample=%s task=box-%s\n' "$(wc -c <"$f")" "${f##*/}" "$lang"
        cat "$f"
        echo
    done
}
# end: counts records and bytes of what stands before it (no body of these tests looks like a header)
end() { awk 'n>0{n-=length($0)+1;print;next} /^@/{k++;b+=$2;n=$2+1} {print} END{printf "%%end n=%d b=%d\n",k,b}'; }
python() { { task python 'assert f() == 1' 'def f(): return 1'; gens python "$@"; } | end; }
# one TEXT: a stream with one python generation
one() { printf '%s\n' "$1" >one.py; python one.py; }
verdicts() { heads "$@" | sed -n 's/^@verdict .* sample=\([^ ]*\) .* verdict=\([A-Z_]*\).*/\1 \2/p'; }
verdict() { verdicts "$@" | sed 's/.* //'; }
# left: the processes of boxes that have lost their lm-exec (started since this test began; dying ones get a while)
since=$(awk '{print int($1 * 100)}' /proc/uptime)
field() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f"$(($2 - 2))"; }
orphans()
{
    grep -lsz '^USER=box$' /proc/[0-9]*/environ | cut -d/ -f3 | while read -r t_p; do
        [ "$(field "$t_p" 22)" -ge "$since" ] 2>/dev/null || continue
        t_up=$t_p
        while [ "${t_up:-0}" -gt 1 ]; do
            [ "$(cat "/proc/$t_up/comm" 2>/dev/null)" != lm-exec ] || continue 2
            t_up=$(field "$t_up" 4)
        done
        echo "$t_p"
    done
}
left()
{
    for t_i in 1 2 3 4 5 6 7 8 9 10; do
        t_left=$(orphans)
        [ -n "$t_left" ] || return 0
        sleep 0.3
    done
    echo "$t_left"
}
# judge VERDICTS [CORPUS]: compares each verdict with the first line of its program. One that differs is run once
# more alone, and that is told: on a machine whose cores are taken away a race may end otherwise.
judge()
{
    while read -r name got; do
        want=$(sed -n '1s/^[#/]* //p' "$box/$name")
        case " $want " in
        *" $got "*) t_ok "$name: $got"; continue ;;
        esac
        if [ $# = 2 ]; then
            note "$name: $got at first: $(heads "$1" | grep "sample=$name ")"
            lm-select -e "!sample? | sample == '$name'" "$2" | lm-exec -j 1 --cpu 3 >again.out
            got=$(verdict again.out)
        fi
        case " $want " in
        *" $got "*) t_ok "$name: $got" ;;
        *) t_not "$name: $got, not $want" "$(heads "$1" | grep "sample=$name ")" ;;
        esac
    done <<EOF
$(verdicts "$1")
EOF
}

one 'def f(): return 1' >pass.lm
t_do 'lm-exec pass.lm'
if grep -q facility "$err"; then
    cp "$err" told
    like 'without namespaces it fails closed and names the flag' 'cat told' '^lm-exec: .*facility: .*--level'
    note "$(cat told)"
    done_testing
fi
cp "$out" pass.out
is 'a right answer is a PASS' 'verdict pass.out' PASS
like 'the run is described' 'heads pass.out' '^@run 0 tool=lm-exec .*lang=python runtime=Python.* level=3 check=sentinel '
like 'the verdict has its figures' 'heads pass.out' \
    '^@verdict 0 id=f sample=one.py task=box-python .*verdict=PASS cpu-ms=[0-9]+ wall-ms=[0-9]+ mem=[0-9]+ tries=1 level=3 runtime=.* key=[0-9a-f]{32}$'

before=$(find / -maxdepth 1 | cksum)
python "$box"/*.py >corpus.lm
run 'the python corpus runs' 0 'lm-exec -j 2 --cpu 1 --wall 2 corpus.lm >corpus.out; cp corpus.out "$out"; [ "$(verdicts corpus.out | wc -l)" = "$(ls "$box"/*.py | wc -l)" ]'
judge corpus.out corpus.lm
is 'no process is left' left ''
is 'no file is left' 'ls -d /tmp/lm-box* 2>/dev/null' ''
# a process that only looks like one of a lost box is seen: the check can fail
env -i USER=box sleep 30 &
for _ in 1 2 3 4 5 6 7 8 9 10; do left | grep -qx $! && break; sleep .2; done   # it has to become sleep first
is 'a process left behind would be seen' "left | grep -cx $!" 1
kill $!
is 'the host is untouched' "[ '$before' = \"\$(find / -maxdepth 1 | cksum)\" ] || echo other files; ls -d /usr/lib/x /tmp/main.py 2>/dev/null" ''

corpus() # LANG PROGRAM EXT TEST SOLUTION
{
    command -v "$2" >/dev/null || { note "no $2: $1 left out"; return; }
    { task "$1" "$4" "$5"; gens "$1" "$box"/*."$3"; } | end >"$1.lm"
    run "the $1 corpus runs" 0 "lm-exec -j 2 --cpu 3 $1.lm >$1.out; cp $1.out \"\$out\"; [ \$(verdicts $1.out | wc -l) -gt 0 ]"
    judge "$1.out" "$1.lm"
}
corpus c cc c 'int main(void) { assert(f() == 1); return 0; }' '#include <assert.h>
int f(void) { return 1; }'
corpus perl perl pl 'exit 1 unless f() == 1;' 'sub f { 1 }'
corpus sh sh sh '[ "$(f)" = 1 ] || exit 1' 'f() { echo 1; }'
corpus javascript node js 'require("assert")(f() === 1)' 'function f() { return 1 }'

# --- limits and tries -------------------------------------------------------------------------------------
one 'while True: pass' >loop.lm
like 'a time limit is confirmed by a second run, alone' 'lm-exec --cpu 0.2 loop.lm | heads' 'verdict=CPU_LIMIT .* tries=2 '
like 'without --cpu the limit comes from the reference, at least 2 s' 'lm-exec loop.lm | heads' 'verdict=CPU_LIMIT cpu-ms=2[0-9][0-9][0-9] '
python "$box/exit-0.py" "$box/wrong.py" "$box/syntax.py" "$box/daemon.py" "$box/connect.py" "$box/busy-loop.py" >mix.lm
is '-j 1 and -j 2 give the same verdicts' 'lm-exec -j 2 --cpu 0.3 mix.lm >j2; lm-exec -j 1 --cpu 0.3 mix.lm >j1; verdicts j1 >v1; verdicts j2 | diff v1 -' ''
is 'so do cold interpreters' 'lm-exec --cold --cpu 0.3 mix.lm >c; verdicts c | diff v1 -' ''
is 'exit 0 is enough under --verdict exit' 'one "exit(0)" | lm-exec --verdict exit >e; verdict e' PASS
like 'programs that disagree are FLAKY' \
    'one "import time
def f(): return 1 + (time.time_ns() // 1000) % 2" | lm-exec --repeat 30 | heads' 'verdict=FLAKY'
like 'programs that agree are not' 'lm-exec --repeat 3 pass.lm | heads' 'verdict=PASS .* tries=3 '
like 'a reference that fails is our fault' \
    '{ task python "assert f() == 1" "def f(): return 2"; gens python one.py; } | end | lm-exec | heads' \
    'verdict=INFRA_ERROR .* tries=3 '
like 'a language without runtime is our fault' \
    '{ task cobol "x" "y"; gens cobol one.py; } | end | lm-exec | heads' 'verdict=INFRA_ERROR'
is 'equal programs run once' 'python one.py one.py one.py | lm-exec >e; heads e | grep -o "cpu-ms.*" | sort -u | wc -l' 1

# --- the cache --------------------------------------------------------------------------------------------
run 'results are kept' 0 'lm-exec --cache kept --cpu 0.3 mix.lm >first && [ "$(find kept -type f | wc -l)" = 7 ]'
run 'and used: not even a shell is started' 0 'lm-exec --cache kept --cpu 0.3 mix.lm >second'
bytes 'a second run gives the same bytes' first second
run 'a damaged result is made again' 0 'for f in $(find kept -type f); do head -c 20 "$f" >x; cp x "$f"; done; lm-exec --cache kept --cpu 0.3 mix.lm >third'
is 'with the same verdicts' 'verdicts first >v1; verdicts third | diff v1 -' ''

# --- levels -----------------------------------------------------------------------------------------------
for level in 2 1; do
    t_do "lm-exec --level $level pass.lm"
    if grep -q facility "$err"; then note "level $level: $(cat "$err")"; continue; fi
    like "level $level passes what is right" 'lm-exec --level '$level' pass.lm | heads' "verdict=PASS .* level=$level "
    is "level $level gives the same verdicts" "lm-exec --level $level --cpu 0.3 mix.lm >l; verdicts l | grep -v connect >v2; grep -v connect v1 | diff - v2" ''
    is "level $level leaves no process" left ''
    is "level $level leaves no file" 'ls -d /tmp/lm-box* 2>/dev/null' ''
done
python "$box/connect.py" "$box/ptrace.py" "$box/shadow-file.py" "$box/write-outside.py" >two.lm
is 'level 2 has no network, no other files' 'lm-exec --level 2 two.lm >l; judge l | grep -v "^ok"' ''

# --- a task folder ----------------------------------------------------------------------------------------
mkdir -p tasks/one
printf 'name = one\nlang = python\ntemplate = {prompt}{completion}%%0Aassert {entry}() == 3%%0A\n' >tasks/one/task.conf
stream '@prompt id=a entry=three' 'def three():
    return ' '@solution id=a' '3' >tasks/one/problems.lm
LM_TASKS=$T/tasks
export LM_TASKS
is 'the problems come from the folder' 'lm-task one --solutions | lm-exec >e; verdict e' PASS
fails 'a folder with another hash is refused' 3 'lm-task one --solutions | sed "s/hash=[0-9a-f]*/hash=0123/" | lm-exec' 'mismatch: task one'
fails 'an unknown problem is refused' 3 "stream '@gen id=b task=one' x | lm-exec" 'missing: task one has no problem b'
fails 'a task that is nowhere is refused' 3 "stream '@gen id=b task=two' x | lm-exec" 'missing: two: no such task'
fails 'a generation without id is refused' 3 "stream '@gen task=one' x | lm-exec" 'missing: no id='

# --- kill -9 ----------------------------------------------------------------------------------------------
for level in 3 2; do
    one 'import os, time
for i in range(3):
    if os.fork() == 0: os.setsid()
time.sleep(3600)' >sleeper.lm
    (eval "exec lm-exec --level $level sleeper.lm" >/dev/null 2>&1) &
    pid=$!
    sleep 1
    kill -9 $pid
    wait $pid 2>/dev/null
    is "kill -9 of lm-exec leaves no process (level $level)" left ''
    is "nor a file (level $level)" 'ls -d /tmp/lm-box* 2>/dev/null' ''
done

# --- HumanEval --------------------------------------------------------------------------------------------
he=${LM_HUMANEVAL:-$ROOT/../shared/data/humaneval}
if [ -f "$he/HumanEval.jsonl.gz" ]; then
    is 'the HumanEval references pass, all of them' \
        'lm-task --from humaneval "$he/HumanEval.jsonl.gz" --solutions | lm-exec -j 2 >he; verdicts he | sort | cut -d" " -f2 | uniq -c | tr -s " "' ' 164 PASS'
    is 'the example samples give pass@1 = 0.5' \
        'lm-task --from humaneval "$he/example_problem.jsonl" --samples "$he/example_samples.jsonl" | lm-exec -j 2 | lm-passk --tsv | cut -f1,4 | tail -n 1' "pass@1	0.5"
else
    note 'no HumanEval (LM_HUMANEVAL): its references left out'
fi
done_testing
