#!/bin/sh
# lm-export writes what others read and what lm-import reads back.
. "${0%/*}/t.sh"

stream 'path=a.c lang=c size=8' 'one fish' 'path=b/c.py alpha=0.5 size=07' 'tab	"q" \ nul
' 'path=caf%C3%A9 note=%E9' '' '@zz x=1' other >in.lm
is 'a JSON object a line, numbers as such, the body last' 'lm-export in.lm' \
    '{"path":"a.c","lang":"c","size":8,"content":"one fish"}
{"path":"b/c.py","alpha":0.5,"size":"07","content":"tab\t\"q\" \\ nul\n"}
{"path":"café","note_base64":"6Q==","content":""}'
is '-t takes other types' 'lm-export -t zz in.lm' '{"x":"1","content":"other"}'
is '--text and --map name the fields' 'lm-export --text completion --map path=file,lang=l in.lm | head -n 1' \
    '{"file":"a.c","l":"c","size":8,"completion":"one fish"}'
stream content=x y >clash.lm
fails 'an attribute and the body cannot share a field' 3 'lm-export clash.lm' 'clash.lm:0:6: invalid: .* share field content'
is 'text is the bodies alone' 'lm-export --to text in.lm' 'one fishtab	"q" \ nul'

# --- there and back
mkdir -p d/sub
printf 'x=1\n' >d/b.py
printf 'h\303\251' >d/sub/x.C
printf '\0\1\n' >d/sub/bin
printf 'caf\351' >"d/sub/l$(printf '\377')t.txt"
printf 'z' >"d/$(printf '\303\274 %%')"
: >d/empty
lm-import --src s --mtime d >d.lm
lm-export -o d.jsonl d.lm
lm-import d.jsonl >back.lm
bytes 'import of exported JSON Lines gives the stream' back.lm d.lm
lm-export --to tar d.lm >d.tar
lm-import d.tar >back.lm
bytes 'import of an exported tar gives the stream' back.lm d.lm
lm-cut --set pii=EMAIL:0:1 d.lm 2>/dev/null >cut.lm && {
    lm-export --to tar cut.lm | lm-import --from tar - >back.lm
    bytes 'with all its attributes' back.lm cut.lm
}
is 'tar reads it' 'mkdir x && tar xf d.tar -C x 2>/dev/null && cat x/b.py' 'x=1'
run 'a directory is made' 0 'lm-export --to dir -o dd d.lm'
run 'with the same files' 0 'diff -r d dd'
if command -v python3 >/dev/null; then
    is 'Python reads the same lines' 'python3 -c "
import json
for l in open(\"d.jsonl\", encoding=\"utf-8\"): j = json.loads(l); print(j.get(\"path\"), j[\"enc\"], j[\"size\"], len(j.get(\"content\", \"\")))
"' 'b.py ascii 4 4
empty ascii 0 0
sub/bin binary 3 3
None bytes 4 0
sub/x.C utf8 3 2
ü % ascii 1 1'
fi

# --- safety of directories
fails 'files that exist are refused' 3 'lm-export --to dir -o dd d.lm' 'd.lm:0:[0-9]*: invalid: b.py exists'
run '-f replaces them' 0 'lm-export -f --to dir -o dd d.lm'
for p in ../up /abs a/../../b .. a/ ''; do
    stream "path=$p" x >bad.lm
    fails "path '$p' is refused" 3 'lm-export --to dir -o new bad.lm' 'bad.lm:0:6: invalid: '
done
run 'then nothing is left' 1 'ls | grep new'
stream path=a%00b x >bad.lm
fails 'so is a NUL byte' 3 'lm-export --to dir -o new bad.lm' 'NUL byte'
mkdir real && ln -s real dd/way
stream path=way/x x >bad.lm
fails 'a link in the way is not followed' 5 'lm-export -f --to dir -o dd bad.lm' 'io: way'
run 'nothing came through it' 1 'ls real | grep .'
ln -s "$PWD/b.keep" dd/l && stream path=l new >l.lm
run 'a link in the place of the file is replaced' 0 'lm-export -f --to dir -o dd l.lm && [ ! -e b.keep ] && [ ! -L dd/l ]'
fails 'dir needs -o' 2 'lm-export --to dir d.lm' '-o DIR'

# --- ends
head -c 30 in.lm >short.lm
run 'a cut stream: exit 3' 3 'lm-export -o j short.lm'
run 'and no file' 1 'ls | grep "^j"'
head -c 50 in.lm >short.lm
is 'a cut stream gives a tar without an end' 'lm-export --to tar short.lm 2>/dev/null | wc -c' 0
run 'an empty stream is fine' 0 'stream | lm-export'
is 'a record is out while the next is waited for' \
    '{ head -n 3 in.lm; sleep 1; tail -n +4 in.lm; } | lm-export | { read -r l; printf "%s\n" "$l" >first; cat >/dev/null; } & sleep 0.5; cat first; wait' \
    '{"path":"a.c","lang":"c","size":8,"content":"one fish"}'
done_testing
