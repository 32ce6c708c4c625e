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
done_testing
