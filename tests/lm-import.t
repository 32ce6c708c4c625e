#!/bin/sh
# lm-import makes the same documents of directories, archives and JSON Lines, and tells what it cannot read.
. "${0%/*}/t.sh"

mkdir -p d/sub d/a.d
printf 'x=1\n' >d/b.py
printf 'h\303\251' >d/a.d/x.C
printf z >d/a-b
printf '\0\1' >d/sub/bin.o
printf 'caf\351' >d/sub/lat.txt
: >d/sub/empty
printf '\377\376h\0\75\330\0\336' >d/u16.txt
ln -s b.py d/link
mkfifo d/fifo
head -c 1048577 /dev/zero >d/zero
rows() { heads | sed 's/ id=[0-9a-f]*//; s/@doc //'; }

# --- directories
is 'a directory comes in byte order of its paths, with ext, size and enc' 'lm-import d | rows' \
    '1 path=a-b size=1 enc=ascii
3 path=a.d/x.C ext=c size=3 enc=utf8
4 path=b.py ext=py size=4 enc=ascii
2 path=sub/bin.o ext=o size=2 enc=binary
0 path=sub/empty size=0 enc=ascii
4 path=sub/lat.txt ext=txt size=4 enc=bytes
8 path=u16.txt ext=txt size=8 enc=binary'
is 'what is left out is counted' \
    'lm-import --counts c.lm d >/dev/null; heads c.lm | sed "s/.*rule=//" | grep -v ^out | sort' \
    'device records=1 bytes=0
large records=1 bytes=1048577
link records=1 bytes=0'
is '--max-bytes lets longer bodies in' 'lm-import --max-bytes 2M d | rows | tail -n 1' \
    '1048577 path=zero size=1048577 enc=binary'
is '--max-depth leaves deeper paths out' 'lm-import --max-depth 1 d | rows | sed "s/ .*//"' '1
4
8'
is '--src names the source' 'lm-import --src here d/b.py | heads | grep -o " src=.*"' \
    ' src=here path=d/b.py ext=py size=4 enc=ascii'
is '--utf16 gives UTF-8 without the mark' 'lm-import --utf16 d/u16.txt | rows' '5 path=d/u16.txt ext=txt size=5 enc=utf8'
is '--mtime gives the time in UTC' 'TZ=UTC touch -d "2001-02-03 04:05:06" d/b.py; lm-import --mtime d/b.py | heads | grep -o "mtime=.*"' \
    'mtime=2001-02-03T04:05:06Z'
is 'the id is the XXH3-128 of the body' 'lm-import d/b.py | heads | grep -o " id=[^ ]*"' \
    " id=$(printf 'x=1\n' | lm-import - | heads | sed 's/.* id=\([^ ]*\).*/\1/')"
is '--id sha256 is that of the body' 'lm-import --id sha256 d/b.py | heads | sed "s/.* id=\([^ ]*\).*/\1/"' \
    "$(sha256sum <d/b.py | cut -d' ' -f1)"
is '--id sha1git is that of a git blob' 'lm-import --id sha1git d/b.py | heads | sed "s/.* id=\([^ ]*\).*/\1/"' \
    "$({ printf 'blob 4\0'; cat d/b.py; } | sha1sum | cut -d' ' -f1)"
lm-import d >whole.lm
for i in 0 1 2; do lm-import --part $i/3 d; done | lm-export >parts
lm-export whole.lm >whole
bytes 'the parts of a directory are the whole' parts whole
if [ "$(id -u)" != 0 ]; then
    cp -R d e && chmod 0 e/b.py
    fails 'a file that cannot be read is told' 5 'lm-import e' 'e/b.py: io: '
    run 'with --keep-going it is no failure' 0 'lm-import --keep-going e'
fi

# --- archives
(cd d && tar cf ../d.tar ./b.py ./a* sub/bin.o sub/lat.txt sub/empty && tar czf ../d.tgz ./b.py ./a* sub/bin.o sub/lat.txt sub/empty)
is 'a tar archive comes in its own order, paths cleaned' 'lm-import d.tar | rows' \
    '4 path=b.py ext=py size=4 enc=ascii
1 path=a-b size=1 enc=ascii
3 path=a.d/x.C ext=c size=3 enc=utf8
2 path=sub/bin.o ext=o size=2 enc=binary
4 path=sub/lat.txt ext=txt size=4 enc=bytes
0 path=sub/empty size=0 enc=ascii'
lm-import d.tar | grep -av '^%by' | sort >got
lm-import d.tgz | grep -av '^%by' | sort >want
bytes 'gzip around it changes nothing' got want
tar cPf up.tar --transform 's,^d,../../etc/./d,' d/b.py d/link
is 'paths that lead out are cleaned, links left out' 'lm-import up.tar | rows' '4 path=etc/d/b.py ext=py size=4 enc=ascii'
head -c 2000 d.tar >cut.tar
fails 'a cut archive is told' 3 'lm-import cut.tar' 'cut.tar: invalid: '
like 'its whole members come, then %abort' 'lm-import cut.tar' '^%abort code=3 '
is '--keep-going ends it' 'lm-import -q --keep-going cut.tar | rows | head -n 1' '4 path=b.py ext=py size=4 enc=ascii'
head -c 40000000 /dev/zero >zeros && tar czf bomb.tgz zeros d/b.py && rm zeros
fails 'a bomb is stopped' 3 'lm-import bomb.tgz' 'limit: more bytes out than --max-ratio'
is 'a higher --max-ratio lets it pass' 'lm-import --max-ratio 2000 bomb.tgz | rows' '4 path=d/b.py ext=py size=4 enc=ascii'
if command -v zip >/dev/null; then
    (cd d && zip -qr ../d.zip b.py a-b sub)
    is 'a zip archive' 'lm-import d.zip | rows | head -n 2' '4 path=b.py ext=py size=4 enc=ascii
1 path=a-b size=1 enc=ascii'
    lm-import d.zip >got
    lm-import --from zip - <d.zip >want
    bytes 'a zip on standard input' got want
fi

# --- JSON Lines
cat >b.jsonl <<'.'
{"content":"one","path":"/x/../y.py","n":3,"tags":["a", {"b":1}],"flag":true,"no":null,"id":"zz","not_a_key":1}
{"content":"tw\ud83d\ude00o \ud800 \u00e9\n"}
{"content":"bad
{"nocontent":1}

{"content":"a","content":"b"}
{"content_base64":"Y2Fm6Q=="}
{"content":"x"} junk
.
printf '{"content":"last"}' >>b.jsonl
run 'damaged lines make the end an abort' 3 'lm-import b.jsonl'
is 'each is told with its number and byte' 'lm-import b.jsonl 2>&1 >/dev/null | grep -o "b.jsonl:.*"' \
    "b.jsonl:2:$(($(head -n 2 b.jsonl | wc -c) + 15)): invalid: control byte in a string
b.jsonl:3:$(head -n 3 b.jsonl | wc -c): invalid: no string in field content
b.jsonl:5:$(head -n 5 b.jsonl | wc -c): invalid: field content twice
b.jsonl:7:$(($(head -n 7 b.jsonl | wc -c) + 16)): invalid: bytes after the object"
is 'the others come with their attributes' 'lm-import -q --keep-going b.jsonl | rows' \
    '3 path=x/y.py n=3 tags=["a",%20{"b":1}] flag=1 ext=py size=3 enc=ascii
15 size=15 enc=utf8
4 size=4 enc=bytes
4 size=4 enc=ascii'
is 'escapes are undone, a lone surrogate becomes U+FFFD' 'lm-import -q --keep-going b.jsonl | lm-export --to text | tail -n 2' \
    "$(printf 'onetw\360\237\230\200o \357\277\275 \303\251\ncaf\351last')"
like 'and is told' 'lm-import --keep-going b.jsonl 2>&1 >/dev/null' '1 lone surrogates'
is '--map takes the fields it names alone' 'lm-import -q --keep-going --map lic=not_a_key,repo=path b.jsonl | rows | head -n 1' \
    '3 repo=/x/../y.py lic=1 size=3 enc=ascii'
is '--text names the field of the body' "printf '{\"code\":\"x\",\"path\":\"p\"}\n' | lm-import --from jsonl --text code - | rows" \
    '1 path=p size=1 enc=ascii'
is 'a first line with the field is enough to know it' "printf '{\"content\":\"x\"}\n' >plain; lm-import plain | rows" '1 size=1 enc=ascii'
is 'without it the file is text' "printf '{\"a\":\"x\"}\n' >plain; lm-import plain | rows" '10 path=plain size=10 enc=ascii'
i=0
while [ $i -lt 500 ]; do printf '{"path":"%d","content":"%0*d"}\n' $i $((i % 97 + 1)) $i; i=$((i + 1)); done >many.jsonl
lm-import many.jsonl | lm-export >whole
for n in 1 2 7 64; do
    i=0
    while [ $i -lt $n ]; do lm-import --part $i/$n many.jsonl; i=$((i + 1)); done | lm-export >parts
    bytes "the lines of $n parts are those of the whole" parts whole
done
lm-import many.jsonl >whole.lm
gzip -nk many.jsonl && cat many.jsonl.gz many.jsonl.gz >two.jsonl.gz
lm-import many.jsonl.gz >got
bytes 'gzip around them' got whole.lm
is 'joined gzip files are one' 'lm-import two.jsonl.gz | tail -n 1 | cut -d" " -f2' n=1000
if command -v zstd >/dev/null; then
    zstd -qk many.jsonl && lm-import many.jsonl.zst >got
    bytes 'zstd around them' got whole.lm
fi
head -c $(($(wc -c <many.jsonl.gz) / 2)) many.jsonl.gz >cut.jsonl.gz
gzip -dc cut.jsonl.gz 2>/dev/null | grep -c '}$' >want
fails 'a cut gzip is told' 3 'lm-import cut.jsonl.gz' 'cut.jsonl.gz: invalid: gzip data is cut'
is 'no line that was whole before the cut is lost' 'lm-import -q --keep-going cut.jsonl.gz | tail -n 1 | sed "s/.*n=\([0-9]*\).*/\1/"' "$(cat want)"
fails 'compressed lines have no parts' 3 'lm-import --part 0/2 many.jsonl.gz' 'needs a directory or an uncompressed'
fails '--part is I/N' 2 'lm-import --part 2/2 d' 'I from 0 to N - 1'

# --- text
is 'standard input is one document' "printf 'one\ntwo' | lm-import - | rows" '7 size=7 enc=ascii'
fails 'too long a text is over the limit' 3 "printf 'one' | lm-import --max-bytes 2 -" 'limit: text longer'
is 'an empty file is an empty document' ': >e.txt; lm-import e.txt | rows' '0 path=e.txt ext=txt size=0 enc=ascii'
fails 'an lm stream is refused by name' 3 'lm-import whole.lm' 'an lm stream already'
fails 'a file that is not there' 5 'lm-import nosuch' 'nosuch: io: '
fails 'a field twice in --map syntax' 2 'lm-import --map =x d' 'wants ATTR=FIELD'

# --- tokens of other programs
i=0
while [ $i -lt 40 ]; do
    printf '{"content":"%s%0*d\\n"}\n' "$([ $((i % 7)) = 0 ] || echo 'if (x == y) return ')" $((i % 31 + 1)) $i
    i=$((i + 1))
done >texts.jsonl
printf '{"content":""}\n{"content":"last"}\n' >>texts.jsonl
lm-import texts.jsonl >texts.lm
lm-bpe-train --vocab-size 320 --reserve 32 --allow-short -o vocab texts.lm
lm-bpe-train --vocab-size 66048 --reserve 65536 --allow-short -o wide texts.lm
v=$(heads texts.lm | wc -l) h=$(lm-tok --vocab vocab texts.lm | heads | head -n 1 | sed 's/.*vocab=\([0-9a-f]*\).*/\1/')
lm-tok --vocab vocab texts.lm >u16.lm
lm-tok --vocab wide texts.lm >u32.lm
stream >none.lm
stream "@tok dt=u16 shape=1 vocab=$h" "$(printf '0\1')" >one.lm
# empty sequences, one at each end
stream "@tok dt=u16 shape=0 vocab=$h" '' "@tok dt=u16 shape=2 vocab=$h" "$(printf '0\1\61\1')" "@tok dt=u16 shape=0 vocab=$h" '' >holes.lm
lm-pack -q --mode concat --seq 8 --drop-tail u16.lm >rows.lm
# what a stream of tokens holds: the length of each sequence, then the ids
what() { heads "$1" | sed 's/.* shape=\([0-9]*\).*/\1/'; lm-export -q --to raw --dtype u32 "$1"; }
read_back() # FORMAT FOLDER-OR-FILE [OPTION ..]: gives it back as got.lm
{
    k=$1 f=$2; shift 2
    lm-import --from "$k" "$@" "$f" >got.lm && lm-check got.lm && what got.lm >got
}
for k in mds megatron llmc datatrove raw npy; do
    raw=; [ $k != raw ] || raw='--dtype u16'
    raw4=; [ $k != raw ] || raw4='--dtype u32'
    for t in u16 none one; do
        lm-export --to $k -o $k.$t $t.lm && what $t.lm >want
        run "$k of $t comes back" 0 "read_back $k $k.$t --vocab vocab $raw && cmp got want"
    done
    lm-export --to $k -o $k.u32 u32.lm && what u32.lm >want
    run "$k of a wide vocabulary too" 0 "read_back $k $k.u32 --vocab wide $raw4 && cmp got want"
    is 'in ids of four bytes' "heads got.lm | head -n 1 | grep -o 'dt=[^ ]*'" dt=u32
    lm-export -q --to $k -o $k.rows rows.lm && what rows.lm >want
    case $k in mds | npy) seq= ;; *) seq='--seq 8' ;; esac
    run "$k of rows" 0 "read_back $k $k.rows --vocab vocab $raw $seq && cmp got want"
    is 'they are rows again' "heads got.lm | grep -c ' seq=8 mode=concat'" "$(heads rows.lm | wc -l)"
    case $k in
    mds | megatron | datatrove)
        lm-export --to $k -o $k.holes holes.lm && what holes.lm >want
        run "$k of empty sequences" 0 "read_back $k $k.holes --vocab vocab && cmp got want"
        lm-export --to $k --size 4K -o $k.many u16.lm && what u16.lm >want
        run "$k in files of 4K" 0 "read_back $k $k.many --vocab vocab && cmp got want"
        ;;
    esac
done
is 'ids of a narrow vocabulary have two bytes' 'lm-export --to npy --dtype u32 u16.lm | lm-import --from npy --vocab vocab - | heads | head -n 1 | grep -o "dt=[^ ]*"' dt=u16
run 'so have all that a folder holds, in order' 0 \
    'cp u16.lm twice.lm; cat u16.lm >>twice.lm; what twice.lm >want; cp llmc.u16/00000.bin llmc.u16/00001.bin; read_back llmc llmc.u16 --vocab vocab && cmp got want'
like 'the id is the hash of the ids' 'lm-import --from megatron --vocab vocab megatron.one | heads' ' id=[0-9a-f]{32}$'
like '--src is told' 'lm-import --from megatron --vocab vocab --src web megatron.one | heads' ' src=web'
is 'text comes back too' 'lm-import --from mds --vocab vocab mds.u16 | lm-detok --vocab vocab | lm-export --to text | tail -n 1' last
what u16.lm >want
run 'on standard input' 0 'lm-import --from npy --vocab vocab - <npy.u16 >got.lm && what got.lm | cmp - want'
run 'files by their names' 0 'read_back megatron megatron.u16/00000.bin --vocab vocab && cmp got want'
run 'without their ends' 0 'read_back megatron megatron.u16/00000 --vocab vocab && cmp got want'
run 'of datatrove alone' 0 'read_back datatrove datatrove.u16/00000.ds --vocab vocab && cmp got want'

# weights
printf '%%lm 1\n@tok 11 dt=u16 shape=3 vocab=%s with=weight:u8:3\n0\1\61\1\62\1\0\0\1\0\2\n@tok 2 dt=u16 shape=1 vocab=%s\n3\1\n%%end n=2 b=13\n' "$h" "$h" >w.lm
run 'weights come back from datatrove' 0 'lm-export --to datatrove -o ds.w w.lm && lm-import --from datatrove --vocab vocab ds.w >got.lm'
is 'where they are not 1' 'heads got.lm | sed "s/ id=[^ ]*//"' "@tok 11 dt=u16 shape=3 vocab=$h with=weight:u8:3
@tok 2 dt=u16 shape=1 vocab=$h"
is 'after the ids' "sed -n 3p got.lm | od -An -v -tx1" ' 30 01 31 01 32 01 00 00 01 00 02 0a'

# where documents end
eos=$(lm-vocab vocab | awk '$1 == "eos" { print $2 }')
word() { awk -v n="$1" 'BEGIN { printf "\\%03o\\%03o", n % 256, int(n / 256) }'; }
# shellcheck disable=SC2059
printf "$(word "$eos")0\1\61\1$(word "$eos")2\1$(word "$eos")" >flat
lens() { heads "$@" | sed 's/.* shape=\([0-9]*\).*/\1/' | tr '\n' ' '; }
is 'documents end after the end of text' 'lm-import --from raw --dtype u16 --vocab vocab flat | lens' '1 3 2 '
is 'or begin with it' 'lm-import --from raw --dtype u16 --vocab vocab --cut before flat | lens' '3 2 1 '
is 'or a file is one' 'lm-import --from raw --dtype u16 --vocab vocab --cut none flat | lens' '6 '
is 'or rows' 'lm-import --from raw --dtype u16 --vocab vocab --seq 2 flat | lens' '2 2 2 '
fails 'which must fit' 3 'lm-import --from raw --dtype u16 --vocab vocab --seq 4 flat' 'flat:1:8: mismatch: 2 ids, no row of 4'
# shellcheck disable=SC2059 # with escapes
poke() { printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; } # FILE BYTE TEXT
mkdir over
head -c 1024 llmc.u16/00000.bin >top
for k in '0 0\1\61\1 2' '1 2\1 1' "2 3\\1$(word "$eos")4\\1 3" '3 5\1 1'; do
    # shellcheck disable=SC2086,SC2059 # a number, text with escapes, a count
    set -- $k && { cat top; printf "$2"; } >over/$1.bin && poke over/$1.bin 8 "\\$3\\0\\0\\0"
done
is 'a document may go on in the next file of llm.c' 'lm-import --from llmc --vocab vocab over | lens' '5 2 '
is 'or the text before an end of text' 'lm-import --from llmc --vocab vocab --cut before over | lens' '4 3 '
is 'but without ends each file is one' 'lm-import --from llmc --vocab vocab --cut none over | lens' '2 1 3 1 '
head -c 3000000 /dev/zero >zeros
is 'a long sequence is written in pieces' 'lm-import --from raw --dtype u16 --vocab vocab zeros | lens' '1500000 '
is 'with the id of its ids' 'lm-import --from raw --dtype u16 --vocab vocab zeros | heads | grep -o " id=.*"' \
    " id=$(lm-import --from text --max-bytes 4M zeros | heads | sed 's/.* id=\([^ ]*\).*/\1/')"

# arrays
npy() # VERSION DICT BODY: a file of NumPy's
{
    n=$(printf '%s\n' "$2" | wc -c)
    # shellcheck disable=SC2059
    printf "\\223NUMPY\\$1\\0"
    # shellcheck disable=SC2059
    if [ "$1" = 1 ]; then printf "\\$(printf %o "$n")\\0"; else printf "\\$(printf %o "$n")\\0\\0\\0"; fi
    # shellcheck disable=SC2059
    printf '%s\n' "$2" && printf "$3"
}
get() { lm-import --from npy --vocab vocab -; }
ids() { lm-export --to raw --dtype u32 | od -An -v -w64 -tu4 | tr -s ' '; }
for ver in 1 2 3; do
    is "version $ver.0 of npy" "npy $ver \"{'descr': '<u2', 'fortran_order': False, 'shape': (2,), }\" 'a\0b\0' | get | ids" ' 97 98'
done
is 'int32' "npy 1 \"{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }\" 'a\0\0\0b\0\0\0' | get | ids" ' 97 98'
is 'int64' "npy 1 \"{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }\" 'a\0\0\0\0\0\0\0' | get | ids" ' 97'
is 'uint8' "npy 1 \"{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }\" 'abc' | get | ids" ' 97 98 99'
is 'rows, in any order of keys' "npy 1 \"{ 'shape':(2,1,),\\\"fortran_order\\\":False ,'descr':'<u2'}\" 'a\0b\0' | get | heads | grep -o 'seq=.*'" 'seq=1 mode=concat
seq=1 mode=concat'
fails 'a negative id' 3 "npy 1 \"{'descr': '<i4', 'fortran_order': False, 'shape': (1,), }\" '\377\377\377\377' | get" 'stdin:0:[0-9]*: invalid: id -1 is negative'
refuse() # NAME DICT BODY ERE
{
    npy 1 "$2" "$3" >x.npy
    fails "$1" 3 'lm-import --from npy --vocab vocab x.npy' "$4"
}
refuse 'an id beyond the vocabulary' "{'descr': '<u2', 'fortran_order': False, 'shape': (2,), }" 'a\0a\2' 'x.npy:0:[0-9]*: invalid: id 609 is beyond the 320 of'
refuse 'fractions' "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }" 'aaaa' 'invalid: ids of type <f4'
refuse 'the other order of bytes' "{'descr': '>u2', 'fortran_order': False, 'shape': (1,), }" 'aa' 'invalid: ids of type >u2'
refuse 'fields' "{'descr': [('a', '<u2')], 'fortran_order': False, 'shape': (1,), }" 'aa' 'descr is no simple type'
refuse 'rows in Fortran order' "{'descr': '<u2', 'fortran_order': True, 'shape': (1, 1), }" 'aa' 'invalid: rows in Fortran order'
refuse 'three dimensions' "{'descr': '<u2', 'fortran_order': False, 'shape': (1, 1, 1), }" 'aa' 'more than two dimensions'
refuse 'a single number' "{'descr': '<u2', 'fortran_order': False, 'shape': (), }" 'aa' 'a single number'
refuse 'fewer ids than told' "{'descr': '<u2', 'fortran_order': False, 'shape': (3,), }" 'aaaa' 'truncated: 4 bytes are fewer'
refuse 'more than told' "{'descr': '<u2', 'fortran_order': False, 'shape': (1,), }" 'aaaa' 'corrupt: more bytes'
refuse 'a shape beyond all files' "{'descr': '<u2', 'fortran_order': False, 'shape': (9223372036854775807, 4), }" 'aaaa' 'truncated: '
refuse 'a key twice' "{'descr': '<u2', 'descr': '<u2', 'shape': (1,), }" 'aa' 'or twice'
refuse 'a key too few' "{'descr': '<u2', 'shape': (1,), }" 'aa' 'lacks descr, fortran_order or shape'
refuse 'what is no dict' 'import os' 'aa' 'the head is no dict'
npy 4 "{'descr': '<u2', 'fortran_order': False, 'shape': (1,), }" 'aa' >x.npy
fails 'a later version' 3 'lm-import --from npy --vocab vocab x.npy' 'x.npy:0:6: version: version 4.0'

# damage
damaged() # NAME FORMAT FILE ERE CHANGE: of the set of u16.lm, changed by CHANGE, in which $f is the file
{
    rm -rf x && cp -R "$2.u16" x
    f=x/$3
    (eval "$5")
    fails "$1" 3 "lm-import --from $2 --vocab vocab x" "$4"
}
rm llmc.u16/00001.bin
b=00000.bin
damaged 'llm.c: no magic' llmc $b 'x/00000.bin:0:0: invalid: not a file of llm.c' 'poke $f 0 x'
damaged 'llm.c: evaluations' llmc $b 'invalid: a file of llm.c.s evaluations' 'poke $f 0 "\212\330\064\001"'
damaged 'llm.c: a version' llmc $b 'x/00000.bin:0:4: version: ' 'poke $f 4 "\2"'
damaged 'llm.c: a negative count' llmc $b 'x/00000.bin:0:8: invalid: a negative count' 'poke $f 11 "\377"'
damaged 'llm.c: cut' llmc $b 'truncated: holds [0-9]* bytes of' 'truncate -s -2 $f'
damaged 'llm.c: cut in the head' llmc $b 'truncated: shorter than' 'truncate -s 1000 $f'
damaged 'llm.c: longer' llmc $b 'corrupt: more bytes' 'echo >>$f'
damaged 'llm.c: an id' llmc $b 'x/00000.bin:0:1024: invalid: id 511 is beyond the 320' 'poke $f 1024 "\377\1"'
damaged 'llm.c: no file' llmc $b 'x: invalid: a folder without .*bin' 'rm $f'
damaged 'Megatron: no magic' megatron 00000.idx 'x/00000.idx:0:0: invalid: not an index' 'poke $f 0 x'
damaged 'Megatron: the old layout' megatron 00000.idx 'version: the layout TNTIDX' 'poke $f 0 "TNTIDX\0\0"'
damaged 'Megatron: a version' megatron 00000.idx 'x/00000.idx:0:9: version: ' 'poke $f 9 "\2"'
damaged 'Megatron: fractions' megatron 00000.idx 'x/00000.idx:0:17: invalid: numbers with a fraction' 'poke $f 17 "\7"'
damaged 'Megatron: a type' megatron 00000.idx 'invalid: type 9 of ids' 'poke $f 17 "\11"'
damaged 'Megatron: a count beyond the file' megatron 00000.idx 'truncated: too short for' 'poke $f 25 "\377"'
damaged 'Megatron: ends beyond the file' megatron 00000.idx 'truncated: too short for' 'poke $f 33 "\377"'
damaged 'Megatron: cut' megatron 00000.idx 'truncated: too short for' 'truncate -s -1 $f'
damaged 'Megatron: modes' megatron 00000.idx 'invalid: a multimodal' "head -c $v /dev/zero >>\$f"
damaged 'Megatron: longer' megatron 00000.idx 'corrupt: more bytes' 'echo >>$f'
damaged 'Megatron: a negative length' megatron 00000.idx 'corrupt: sequence 0: a negative length' 'poke $f 37 "\377"'
damaged 'Megatron: a length beyond the .bin' megatron 00000.idx 'corrupt: sequence 0, .* lies outside' 'poke $f 36 "\377"'
damaged 'Megatron: a place beyond the .bin' megatron 00000.idx 'corrupt: sequence 0, .* lies outside' "poke \$f $((34 + 4 * v + 7)) '\\1'"
damaged 'Megatron: documents from elsewhere' megatron 00000.idx 'corrupt: the documents do not begin at' "poke \$f $((34 + 12 * v)) '\\1'"
damaged 'Megatron: documents that fall' megatron 00000.idx 'corrupt: document 1 ends at sequence 0' "poke \$f $((34 + 12 * v + 16)) '\\0'"
damaged 'Megatron: documents that end before' megatron 00000.idx 'corrupt: the documents do not end with' "poke \$f $((34 + 20 * v)) '\\1'"
damaged 'Megatron: a cut .bin' megatron 00000.bin 'corrupt: sequence 41, .* lies outside' 'truncate -s -2 $f'
damaged 'Megatron: an id' megatron 00000.bin 'x/00000.bin:0:0: invalid: id 511 is beyond' 'poke $f 0 "\377\1"'
damaged 'datatrove: ends that fall' datatrove 00000.ds.index 'x/00000.ds.index:0:8: corrupt: document 1 ends at id 0 ' 'poke $f 8 "\0\0"'
damaged 'datatrove: ends beyond the ids' datatrove 00000.ds.index 'corrupt: document 0 ends at id' 'poke $f 7 "\1"'
damaged 'datatrove: an end too few' datatrove 00000.ds.index 'mismatch: the last document ends at id' 'truncate -s -8 $f'
damaged 'datatrove: a cut end' datatrove 00000.ds.index 'truncated: the last end is cut' 'truncate -s -3 $f'
damaged 'datatrove: no ends' datatrove 00000.ds.index 'missing: no ends of documents' 'rm $f'
damaged 'datatrove: cut' datatrove 00000.ds 'x/00000.ds:0:0: mismatch: [0-9]* ids of 2 bytes, but its metadata' 'truncate -s -2 $f'
damaged 'datatrove: half an id' datatrove 00000.ds 'truncated: the last id is cut' 'truncate -s -1 $f'
damaged 'datatrove: another vocabulary' datatrove 00000.ds.metadata 'mismatch: vocab=x.*but the vocabulary given' 'poke $f 6 x'
damaged 'datatrove: a size of ids' datatrove 00000.ds.metadata 'invalid: ids of 3 bytes' 'poke $f 39 3'
damaged 'datatrove: no count' datatrove 00000.ds.metadata 'invalid: the second line is no count' 'poke $f 41 x'
damaged 'datatrove: losses too few' datatrove 00000.ds 'x/00000.ds.loss:0:0: mismatch: 1 bytes for' 'printf 1 >$f.loss'
s=shard.00000.mds
damaged 'MDS: damaged JSON' mds index.json 'x/index.json: invalid: ' 'poke $f 0 x'
damaged 'MDS: a version' mds index.json 'version: version 3 of mds' 'sed -i "s/2}$/3}/" $f'
damaged 'MDS: a version of a shard' mds index.json 'version: version 1 of mds' 'sed -i "s/.version.: 2, /\"version\": 1, /" $f'
damaged 'MDS: a format' mds index.json 'shard 0: invalid: format csv, not mds' 'sed -i "s/.format.: .mds./\"format\": \"csv\"/" $f'
damaged 'MDS: an encoding' mds index.json 'invalid: column tokens is of encoding str: not ids' 'sed -i s/.bytes.]/\"str\"]/ $f'
damaged 'MDS: arrays of fractions' mds index.json 'invalid: column tokens has arrays of float32' 'sed -i s/.bytes.]/\"ndarray:float32\"]/ $f'
damaged 'MDS: another column' mds index.json 'missing: no column tokens .--column., but text' 'sed -i "s/\"tokens\"/\"text\"/" $f'
damaged 'MDS: a size of another shape' mds index.json 'invalid: column tokens: size 0 is not that' 'sed -i s/.bytes.]/\"ndarray:uint16:4\"]/ $f'
damaged 'MDS: lists that differ' mds index.json 'invalid: lists of columns of unequal length' 'sed -i "s/\[null\]/[null, null]/" $f'
damaged 'MDS: a name that leads out' mds index.json 'invalid: a shard whose name leads out' 'sed -i s,shard.0,../shard.0, $f'
damaged 'MDS: an absolute name' mds index.json 'invalid: a shard whose name leads out' 'sed -i s,shard.0,/shard.0, $f'
damaged 'MDS: snappy' mds index.json 'invalid: compressed with snappy' \
    'sed -i "s/\"compression\": null/\"compression\": \"snappy\"/; s/\"zip_data\": null/\"zip_data\": {\"basename\": \"y\", \"bytes\": 1}/; s/shard.0/nix.0/" $f'
damaged 'MDS: other samples' mds index.json "x/shard.00000.mds:0:0: mismatch: $v samples, but index.json tells of 1" 'sed -i "s/\"samples\": [0-9]*/\"samples\": 1/" $f'
damaged 'MDS: cut' mds $s 'truncated: [0-9]* bytes, but index.json tells of' 'truncate -s -2 $f'
damaged 'MDS: an offset that falls' mds $s 'x/shard.00000.mds:0:12: corrupt: offset 0 of' 'poke $f 12 "\0\0\0\0"'
damaged 'MDS: an offset beyond the end' mds $s 'corrupt: offset [0-9]* of [0-9]* bytes' 'poke $f 11 "\1"'
damaged 'MDS: an offset in the offsets' mds $s 'x/shard.00000.mds:0:4: corrupt: offset 4 of' 'poke $f 4 "\4\0\0\0"'
at=$(od -An -tu4 -j4 -N4 mds.u16/$s | tr -d ' ')
damaged 'MDS: a size beyond the sample' mds $s "x/shard.00000.mds:0:$at: corrupt: a column that ends behind its sample" 'poke $f '"$((at + 3))"' "\1"'
damaged 'MDS: half an id' mds $s 'invalid: 1 bytes are no ids of 2' 'poke $f '"$at"' "\1"'
damaged 'MDS: an id' mds $s "x/shard.00000.mds:0:$((at + 4)): invalid: id 511 is beyond" 'poke $f '"$((at + 4))"' "\377\1"'

rm x/index.json
fails 'MDS: no index' 5 'lm-import --from mds --vocab vocab x' 'x/index.json: io: '

# compressed shards
for z in 'zstd zstd -q' 'gz gzip -9' 'bz2 bzip2 -9'; do
    # shellcheck disable=SC2086 # a program and its option
    set -- $z
    command -v "$2" >/dev/null || continue
    rm -rf x && cp -R mds.u16 x
    "$2" "$3" <"x/$s" >"x/$s.$1"
    sed -i "s/\"compression\": null/\"compression\": \"$1:3\"/; s/\"zip_data\": null/\"zip_data\": {\"basename\": \"$s.$1\", \"bytes\": 1, \"hashes\": {}}/" x/index.json
    rm "x/$s"
    what u16.lm >want
    run "a shard in $1" 0 'read_back mds x --vocab vocab && cmp got want'
done
truncate -s -9 "x/$s.$1"
fails 'cut' 3 'lm-import --from mds --vocab vocab x' '(invalid|truncated): '

# usage
fails 'no vocabulary' 2 'lm-import --from npy npy.u16' '--vocab TOK is needed'
fails 'raw without a type' 2 'lm-import --from raw --vocab vocab raw.u16' 'needs --dtype'
fails 'half an id of raw' 3 'lm-import --from raw --dtype u32 --vocab vocab flat' 'flat:0:12: invalid: id|flat:0:[0-9]*: invalid: id'
fails 'a cut id of raw' 3 'head -c 5 flat >odd; lm-import --from raw --dtype u16 --vocab vocab odd' 'odd:0:4: truncated: the last id is cut'
fails 'a folder on standard input' 2 'lm-import --from mds --vocab vocab -' 'cannot come on standard input'
fails 'options of tokens with documents' 2 'lm-import --vocab vocab d' 'are of formats of tokens'
fails 'options of documents with tokens' 2 'lm-import --from npy --vocab vocab --utf16 npy.u16' 'are of formats of documents'
fails '--dtype where the file tells' 2 'lm-import --from npy --dtype u16 --vocab vocab npy.u16' 'tell the type'
fails '--cut where the file tells' 2 'lm-import --from mds --cut none --vocab vocab mds.u16' 'tell where'
fails 'a file that is not there' 5 'lm-import --from npy --vocab vocab nosuch' 'nosuch: io: '
done_testing
