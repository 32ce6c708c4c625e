#!/bin/sh
# lm-ls lists headers.
. "${0%/*}/t.sh"
tab='	'
printf '%%lm 1\n@doc 4 path=a%%20b.c lang=C k=1 k=2  \n@x\n\n\n@tok 2 path=x%%09y z=\nab\n@doc 0\n\n%%end n=3 b=6\n' >in.lm

is 'headers as they stand, without padding' 'lm-ls in.lm' '@doc 4 path=a%20b.c lang=C k=1 k=2
@tok 2 path=x%09y z=
@doc 0'
is '-t lists one type' 'lm-ls -t tok in.lm' '@tok 2 path=x%09y z='
is '-k prints columns, escaped, - for none' 'lm-ls -k @n,@type,path,z in.lm' '0 doc a%20b.c -
1 tok x%09y -
2 doc - -'
is '--offsets leads to the bodies' 'lm-ls --offsets in.lm | while read -r o _ len _; do tail -c +$((o + 1)) in.lm | head -c "$len" | od -An -c; done' "$(printf '@x\n\n' | od -An -c; printf ab | od -An -c)"
is '--tsv has a row of names and C escapes' 'lm-ls --tsv -k path,@len in.lm' "path${tab}@len
a b.c${tab}4
x\\ty${tab}2
${tab}0"
is '--json is an object a line; the first of a repeated key counts' 'lm-ls --json in.lm' '{"@type": "doc", "@len": 4, "path": "a b.c", "lang": "C", "k": "1"}
{"@type": "tok", "@len": 2, "path": "x\ty", "z": ""}
{"@type": "doc", "@len": 0}'
is '--json shows bytes that are not UTF-8 as U+FFFD' "printf '%%lm 1\n@doc 0 p=a%%FFb\n\n%%end n=1 b=0\n' | lm-ls --json -k p" '{"p": "a�b"}'
run '--tsv with --json is a usage error' 2 'lm-ls --tsv --json in.lm'
fails 'a column that is no key is one' 2 'lm-ls -k Path in.lm' "'Path' is no key"
run 'a cut is seen' 3 'sed \$d in.lm | lm-ls'
done_testing
