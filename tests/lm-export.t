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

# --- tokens: sequences of ids below 256, of two bytes: a vocabulary is needed only where it says so
v=0123456789abcdef0123456789abcdef
stream "@tok dt=u16 shape=3 vocab=$v" 'a.b.c.' "@tok dt=u16 shape=0 vocab=$v" '' "@tok dt=u16 shape=1 vocab=$v" 'd.' path=x doc \
    "@tok dt=u16 shape=2 vocab=$v" 'e.f.' >tok.lm
stream >none.lm
hex() { od -An -v -tx1 "$@" | tr -d ' \n'; }
all() { for f in "$1"/*; do printf '%s ' "${f##*/}"; hex "$f"; echo; done; }
le() { awk -v n="$1" -v w="$2" 'BEGIN { while (w--) { printf "%02x", n % 256; n = int(n / 256) } }'; } # NUMBER BYTES
ids=$(printf a.b.c.d.e.f. | hex)

is 'raw is the ids' 'lm-export --to raw tok.lm' 'a.b.c.d.e.f.'
run 'to a file too' 0 'lm-export --to raw -o raw tok.lm && printf a.b.c.d.e.f. | cmp - raw'
is '--dtype u32 widens' 'lm-export --to raw --dtype u32 tok.lm | od -An -v -tx4 | tr -d " \n"' \
    00002e6100002e6200002e6300002e6400002e6500002e66
run 'npy is an array of one dimension' 0 'lm-export --to npy -o a.npy tok.lm'
is 'with its head' 'head -c 128 a.npy | tr -c "\40-\176" . | sed "s/ *.$//"' \
    ".NUMPY..v.{'descr': '<u2', 'fortran_order': False, 'shape': (6,), }"
run 'on a pipe the same bytes' 0 'lm-export --to npy tok.lm | cmp - a.npy'
run 'and to a device' 0 'lm-export --to npy -o /dev/stdout tok.lm | cmp - a.npy'
run 'megatron is a pair' 0 'lm-export --to megatron -o meg tok.lm'
is 'of ids and an index' 'all meg' "00000.bin $ids
00000.idx 4d4d4944494458$(le 0 2)$(le 1 8)08$(le 4 8)$(le 5 8)$(le 3 4)$(le 0 4)$(le 1 4)$(le 2 4)$(le 0 8)$(le 6 8)$(le 6 8)$(le 8 8)$(
    for i in 0 1 2 3 4; do le $i 8; done)"
run 'llmc is a head and ids' 0 'lm-export --to llmc -o llm tok.lm'
is 'of version 1' 'all llm' "00000.bin $(le 20240520 4)$(le 1 4)$(le 6 4)$(le 0 1012)$ids"
run 'or of wide ids' 0 'lm-export --to llmc --dtype u32 -o llm4 tok.lm'
is 'of version 7' 'hex llm4/00000.bin | head -c 24' "$(le 20240801 4)$(le 7 4)$(le 6 4)"
run 'datatrove is ids, ends and metadata' 0 'lm-export --to datatrove -o ds tok.lm'
is 'in three files' 'all ds' "00000.ds $ids
00000.ds.index $(le 3 8)$(le 3 8)$(le 4 8)$(le 6 8)
00000.ds.metadata $(printf 'vocab=%s|2\n6\n6.00 T' $v | hex)"
is '--tokenizer names it' 'lm-export --to datatrove --tokenizer gpt2 -o ds2 tok.lm; head -n 1 ds2/00000.ds.metadata' 'gpt2|2'
run 'mds is a shard and its index' 0 'lm-export --to mds -o mds tok.lm'
config='"column_encodings": ["bytes"], "column_names": ["tokens"], "column_sizes": [null], "compression": null, "format": "mds", "hashes": []'
c="{$config, \"size_limit\": 67108864, \"version\": 2}"
at=$((4 + 4 * 5 + ${#c}))
is 'of offsets, a config and samples' 'all mds | tail -n 1' "shard.00000.mds $(le 4 4)$(le $at 4)$(le $((at + 10)) 4)$(
    le $((at + 14)) 4)$(le $((at + 20)) 4)$(le $((at + 28)) 4)$(printf %s "$c" | hex)$(le 6 4)$(printf a.b.c. | hex)$(le 0 4)$(
    le 2 4)$(printf d. | hex)$(le 4 4)$(printf e.f. | hex)"
is 'which lists the shard' 'cat mds/index.json' \
    "{\"shards\": [{$config, \"raw_data\": {\"basename\": \"shard.00000.mds\", \"bytes\": $((at + 28)), \"hashes\": {}}, \"samples\": 4, \"size_limit\": 67108864, \"version\": 2, \"zip_data\": null}], \"version\": 2}"
is '--column names the column' 'lm-export --to mds --column x -o mdsx tok.lm; grep -o "\"column_names\": [^ ]*" mdsx/index.json' '"column_names": ["x"],'
for k in mds megatron llmc datatrove; do run "nothing as $k" 0 "lm-export --to $k -o none.$k none.lm"; done
is 'is an empty set' 'cat none.mds/index.json; wc -c <none.megatron/00000.idx; wc -c <none.llmc/00000.bin; wc -c <none.datatrove/00000.ds' \
    '{"shards": [], "version": 2}42
1024
0'

# rows
stream "@tok dt=u16 shape=2 vocab=$v seq=2 mode=concat" 'a.b.' "@tok dt=u16 shape=2 vocab=$v seq=2 mode=concat" 'c.d.' >rows.lm
is 'rows are an array of two dimensions' "lm-export --to npy rows.lm | head -c 128 | grep -ao \"'shape.*\" | sed 's/ *$//'" "'shape': (2, 2), }"
is 'and samples of fixed size' 'lm-export --to mds -o mdsr rows.lm; grep -o "\"column_encodings\".*\"compression" mdsr/index.json' \
    '"column_encodings": ["ndarray:uint16:2"], "column_names": ["tokens"], "column_sizes": [4], "compression'
is 'without a size before each' 'tail -c 8 mdsr/shard.00000.mds' 'a.b.c.d.'
{ sed '$d' rows.lm; sed '1d;$d' tok.lm; printf '%%end n=7 b=23\n'; } >both.lm
fails 'rows and documents do not mix' 3 'lm-export --to raw -o nix both.lm' 'both.lm:2:[0-9]*: mismatch: seq=0, but the records before have 2'

# weights
printf '%%lm 1\n@tok 11 dt=u16 shape=3 vocab=%s with=weight:u8:3\na.b.c.\0\0\1\0\2\n@tok 2 dt=u16 shape=1 vocab=%s\nd.\n%%end n=2 b=13\n' $v $v >w.lm
run 'weights are losses of datatrove' 0 'lm-export --to datatrove -o dsw w.lm'
is 'a byte an id' 'hex dsw/00000.ds.loss' 01000201
like 'of the others none has them, which is told' 'lm-export --to raw w.lm 2>&1 >/dev/null' '^lm-export: warning: weights of 1 sequences left out'

# several files
. "$ROOT/tests/tokens.sh"
tokens 300 5 >many.lm
for k in mds megatron llmc datatrove; do
    run "$k in files of 4K" 0 "lm-export --to $k --size 4K -o many.$k many.lm"
done
run 'none is larger' 0 '[ -z "$(find many.llmc many.mds many.*/*.bin many.*/*.ds -size +8)" ]'
run 'they are more than one' 0 'for k in mds megatron llmc datatrove; do [ $(ls many.$k | wc -l) -gt 5 ] || exit 1; done'
is 'and hold all ids in order' 'for k in megatron datatrove; do cat many.$k/*.bin many.$k/*.ds 2>/dev/null | md5sum; done; for f in many.llmc/*; do tail -c +1025 $f; done | md5sum' \
    "$(for k in 1 2 3; do lm-export --to raw many.lm | md5sum; done)"
run 'a shorter set takes the place of a longer one' 0 'lm-export --to llmc -o many.llmc tok.lm && diff -r many.llmc llm'
touch many.mds/mine
fails 'but not of files we did not write' 5 'lm-export --to mds -o many.mds tok.lm' 'io: holds mine'
{ sed '$d' many.lm; sed '1d;$d' w.lm; printf '%%end n=302 b=%d\n' $(($(tail -n 1 many.lm | sed 's/.*b=//') + 13)); } >late.lm
run 'a weight in the last of several files' 0 'lm-export --to datatrove --size 4K -o late late.lm'
run 'gives losses to all' 0 'for f in late/*.ds; do [ $(($(wc -c <$f) / 2)) = $(wc -c <$f.loss) ] || exit 1; done'
is 'which are 1 but the last' 'cat late/*.loss | hex | sed "s/\(01\)*//"' '000201'

# shards, in a folder, as files, in a stream
lm-shard --size 4K -o sh many.lm
lm-pack -q --mode concat --seq 16 many.lm >packed.lm
lm-shard --size 4K -o psh packed.lm
for k in mds megatron datatrove; do
    rm -rf want got
    lm-export -q --to $k -o want many.lm
    run "$k of a folder of shards" 0 "lm-export --to $k -o got sh && diff -r got want && rm -r got"
    run "$k of shards as files" 0 "lm-export --to $k -o got sh/0*.lm && diff -r got want && rm -r got"
    run "$k of shards in a pipe" 0 "cat sh/0*.lm | lm-export --to $k -o got && diff -r got want && rm -r got"
    rm -rf want
    lm-export -q --to $k -o want packed.lm
    run "$k of shards of rows" 0 "lm-export -q --to $k -o got psh && diff -r got want && rm -r got"
    run "$k of shards of rows in a pipe" 0 "cat psh/0*.lm | lm-export -q --to $k -o got && diff -r got want"
done
rm -rf want
lm-export --to raw many.lm >want
lm-export --to raw tok.lm >>want
lm-export --to raw many.lm >>want
is 'folders and files in the order they are named' 'lm-export --to raw sh many.lm - <tok.lm 2>&1 | head -c 10 | hex; lm-export --to raw sh | head -c 10 | hex' \
    "$(head -c 10 want | hex)$(head -c 10 want | hex)"
run 'all of them' 0 'lm-export --to raw sh tok.lm many.lm | cmp - want'
run 'a shard among records' 0 'cat sh/0*.lm tok.lm many.lm | lm-export --to raw - | cmp - want'
fails 'a list of shards is no shard' 3 'lm-export --to raw sh/index.lm' 'sh/index.lm: invalid: a list of shards: name its folder'
size=$(wc -c <sh/00001.lm)
{ head -c 2000 sh/00001.lm; printf '\377'; tail -c +2002 sh/00001.lm; } >flip.lm
fails 'a flipped bit in a shard of a stream is met' 3 'lm-export --to raw -o nix <flip.lm' 'corrupt: checksum differs'
mkdir flipsh && cp sh/* flipsh && cp flip.lm flipsh/00001.lm
fails 'and of a folder' 3 'lm-export --to raw -o nix flipsh' 'flipsh/00001.lm: corrupt: block 0 of tokens .*CRC'
mkdir cutsh && cp sh/* cutsh && head -c $((size - 30)) sh/00001.lm >cutsh/00001.lm
fails 'a cut shard too' 3 'lm-export --to raw -o nix cutsh' 'cutsh/00001.lm:.*truncated'

# refused, and nothing left behind
stream "@tok dt=u16 shape=1 vocab=$v" 'aa' "@tok dt=u16 shape=1 vocab=1${v#0}" 'aa' >mixed.lm
fails 'two vocabularies' 3 'lm-export --to mds -o nix mixed.lm' 'mixed.lm:1:[0-9]*: mismatch: vocab='
fails 'ids too large for --dtype u16' 3 "printf '%%lm 1\n@tok 4 dt=u32 shape=1 vocab=$v\n\0\0\1\0\n%%end n=1 b=4\n' | lm-export --to raw --dtype u16 -o nix" \
    'stdin:0:6: invalid: token 0 is id 65536, too large for u16'
fails 'ids too large for Megatron' 3 "printf '%%lm 1\n@tok 4 dt=u32 shape=1 vocab=$v\n\0\0\0\200\n%%end n=1 b=4\n' | lm-export --to megatron -o nix" \
    "id 2147483648, too large for Megatron's int32"
stream path=a 'int main(void) { return 0; }
' >docs.lm
lm-bpe-train --vocab-size 320 --reserve 32 --allow-short -o vocab docs.lm
lm-tok --vocab vocab docs.lm >toks.lm
run '--vocab passes its own tokens' 0 'lm-export --to raw --vocab vocab -o ok toks.lm'
fails 'and refuses others' 3 'lm-export --to raw --vocab vocab -o nix tok.lm' 'mismatch: vocab=.*but the vocabulary given is'
h=$(heads toks.lm | sed 's/.*vocab=\([0-9a-f]*\).*/\1/')
stream "@tok dt=u16 shape=1 vocab=$h" 'zz' >over.lm
fails 'or ids beyond it' 3 'lm-export --to raw --vocab vocab -o nix over.lm' 'over.lm:0:6: invalid: token 0 is id 31354, beyond the'
printf '%%lm 1\n@tok 4 dt=u16 shape=2 prefix=1 vocab=%s\na.b.\n%%end n=1 b=4\n' $v >pre.lm
fails 'a prefix' 3 'lm-export --to raw -o nix pre.lm' 'invalid: prefix='
fails 'a folder needs -o' 2 'lm-export --to mds tok.lm' '-o DIR is needed'
fails '--size of one file' 2 'lm-export --to raw --size 4K tok.lm' 'are one file'
fails 'options of tokens with documents' 2 'lm-export --dtype u16 in.lm' 'are of formats of tokens'
fails 'options of documents with tokens' 2 'lm-export --to raw --text x tok.lm' 'are of formats of documents'
fails 'a full disk' 5 'ulimit -f 1; trap "" XFSZ; lm-export --to mds -o nix many.lm' 'io: '
is 'nothing is left of these' 'ls -d nix* 2>/dev/null' ''
run 'an aborted stream is passed on' 4 'printf "%%lm 1\n%%abort code=3 tool=x msg=y\n" | lm-export --to mds -o nix'
is 'and leaves nothing' 'ls -d nix* 2>/dev/null' ''
done_testing
