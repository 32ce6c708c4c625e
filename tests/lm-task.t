#!/bin/sh
# lm-task writes prompts, references and samples of tasks: folders, programs, files of HumanEval's form.
. "${0%/*}/t.sh"

mkdir -p tasks/two
cat >tasks/two/task.conf <<'E'
# two problems
name = two
lang = python
prompt-newline = strip
stop-1 = %0Adef
stop-2 = %0A%0A
n = 3
E
stream '@prompt id=a entry=f' 'def f():
' '@solution id=a' '    return 1' '@test id=a' 'assert f() == 1' '@prompt id=b' 'x = ' '@test id=b' 'assert x' >tasks/two/problems.lm
LM_TASKS=$T/none:$T/tasks
export LM_TASKS

is 'the task comes first, then its prompts' 'lm-task two | heads | sed "s/hash=[0-9a-f]\{32\} /hash /"' \
    '@task 101 name=two hash kind=exec lang=python n=2
@prompt 8 id=a task=two lang=python entry=f stop-1=%0Adef stop-2=%0A%0A n=3
@prompt 4 id=b task=two lang=python stop-1=%0Adef stop-2=%0A%0A n=3'
is 'task.conf rides as the body' 'lm-task two | head -n 3 | tail -n 1' '# two problems'
is 'a name with a slash is the folder' 'lm-task ./tasks/two | cksum' "$(lm-task two | cksum)"
is 'references become generations' 'lm-task two --solutions | heads | sed 1d' \
    '@gen 12 id=a sample=0 finish=stop model=reference task=two lang=python'
is '-n takes the first' 'lm-task two -n 1 | heads | grep -c @prompt' 1
is '--ids takes those named' 'lm-task two --ids b | heads | grep -o "@prompt.*id=b"' '@prompt 4 id=b'
fails '--ids names what is there' 2 'lm-task two --ids c' 'usage: .*no problem c'
is '--shots shows solved problems and does not ask them' 'lm-task two --shots 1 | sed -n "/^@prompt/,\$p"' \
    '@prompt 27 id=b task=two lang=python stop-1=%0Adef stop-2=%0A%0A n=3
def f():
    return 1

x = 
%end n=2 b=128'
fails 'there are not more shots than solutions' 3 'lm-task two --shots 2' 'invalid: .*solved'
fails 'an unknown task is a usage error' 2 'lm-task three' 'usage: three: no such task'
h1=$(lm-task two | heads | grep -o 'hash=[0-9a-f]*')
sed 's/id=a entry=f/entry=f id=a/' tasks/two/problems.lm >x && cp x tasks/two/problems.lm
is 'the hash does not see the order of attributes' 'lm-task two | heads | grep -o "hash=[0-9a-f]*"' "$h1"
sed 's/f() == 1/f() == 2/' tasks/two/problems.lm >x && cp x tasks/two/problems.lm
run 'the hash sees a changed test' 1 "lm-task two | heads | grep -q '$h1'"

mkdir -p tasks/made
printf 'name = made\nlang = sh\n' >tasks/made/task.conf
printf '#!/bin/sh\nprintf "%%%%lm 1\\n@prompt 1 id=%%s\\nx\\n%%%%end n=1 b=1\\n" "$(basename "$PWD")"\n' >tasks/made/problems
chmod +x tasks/made/problems
is 'a program may write the problems' 'lm-task made | heads | sed 1d' '@prompt 1 id=made task=made lang=sh'
printf '#!/bin/sh\nprintf "%%%%lm 1\\n%%%%end n=0 b=0\\n"\nexit 3\n' >tasks/made/problems
fails 'its failure is told' 3 'lm-task made' 'invalid: ended with status'

conf() { printf '%s\n' "$1" >tasks/made/task.conf; }
for line in 'nosuch = 1' 'junk' 'n = x' 'cpu = -1' 'prompt-newline = maybe' 'name ='; do
    conf "$line"
    fails "task.conf: '$line' is refused" 3 'lm-task made' 'invalid: line 1'
done
conf '# nothing'
fails 'a task has a name' 3 'lm-task made' 'invalid: no name'

cat >he.jsonl <<'E'
{"task_id": "H/0", "prompt": "def one():\n", "entry_point": "one", "canonical_solution": "    return 1\n", "test": "def check(f):\n    assert f() == 1\n"}

{"task_id": "H/1", "prompt": "def \u00e9():\n", "entry_point": "\u00e9", "canonical_solution": "    return 2\n", "test": "def check(f):\n    assert f() == 2\n"}
E
is 'a HumanEval file brings its tests along' 'lm-task --from humaneval he.jsonl | heads | cut -d" " -f1,2,3,4' \
    '@task 178 name=he kind=exec
@prompt 11 id=H/0 task=he
@test 34 id=H/0 task=he
@solution 13 id=H/0 task=he
@prompt 10 id=H/1 task=he
@test 34 id=H/1 task=he
@solution 13 id=H/1 task=he'
gzip -kn he.jsonl
is 'compressed or not' 'lm-task --from humaneval he.jsonl.gz | cksum' "$(lm-task --from humaneval he.jsonl | cksum)"
run 'it becomes a folder' 0 'lm-task --from humaneval he.jsonl --name mine --folder tasks/mine'
is 'with the same prompts' 'lm-task mine | heads | sed -n "s/@prompt \([0-9]*\) id=\([^ ]*\) .*/\1 \2/p"' '11 H/0
10 H/1'
cat >samples.jsonl <<'E'
{"task_id": "H/1", "completion": "    return 2"}
{"task_id": "H/0", "completion": "    return 0"}
{"task_id": "H/1", "completion": "    return 3"}
E
is 'samples are numbered by problem' 'lm-task mine --samples samples.jsonl | heads | sed -n "s/@gen \([0-9]*\) id=\([^ ]*\) sample=\([0-9]\) .*/\1 \2 \3/p"' \
    '12 H/1 0
12 H/0 0
12 H/1 1'
printf '{"task_id": "H/9", "completion": ""}\n' >bad.jsonl
fails 'a sample of no problem is refused' 3 'lm-task mine --samples bad.jsonl' 'bad.jsonl:1: invalid: no problem H/9'
printf '{"task_id": "H/0"\n' >bad.jsonl
fails 'bad JSON is refused, with its line' 3 'lm-task --from humaneval bad.jsonl' 'bad.jsonl:1: invalid'
printf '{"task_id": "H/0", "prompt": ""}\n' >bad.jsonl
fails 'a missing field is named' 3 'lm-task --from humaneval bad.jsonl' 'invalid: no .entry_point'
printf '[1]\n' >bad.jsonl
fails 'a line is an object' 3 'lm-task --from humaneval bad.jsonl' 'invalid: not a JSON object'
run '--folder needs a file' 2 'lm-task two --folder x'
run 'solutions or samples' 2 'lm-task two --solutions --samples samples.jsonl'

he=${LM_HUMANEVAL:-$ROOT/../shared/data/humaneval}
if [ -f "$he/HumanEval.jsonl.gz" ]; then
    is 'HumanEval has 164 problems' 'lm-task --from humaneval "$he/HumanEval.jsonl.gz" | heads | cut -d" " -f1 | sort | uniq -c | tr -s " "' \
        ' 164 @prompt
 164 @solution
 1 @task
 164 @test'
else
    note 'no HumanEval (LM_HUMANEVAL): left out'
fi
done_testing
