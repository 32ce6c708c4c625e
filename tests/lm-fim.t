#!/bin/sh
# lm-fim cuts by key alone: nothing is lost, and no order, thread or split of the input changes a document.
. "${0%/*}/t.sh"

fim=$ROOT/build/$CONF/unit/fim
[ -x "$fim" ] || MAKEFLAGS='' make -s -C "$ROOT" CONF="$CONF" "build/$CONF/unit/fim" >&2 || exit 1
docs() # N: documents of several sizes
{
    awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) { printf "file %d\n", i > ("f" i); for (k = 0; k < i % 17; k++)
        printf "int f%d(void)\n{\n    return %d + \303\251\344\270\255;\n}\n", k, i * k >> ("f" i); close("f" i) } }'
    lm-import f?* && rm f?*
}
docs 300 >in.lm
lm-bpe-train -q -o tok --vocab-size 280 --reserve 8 --pad-to 1 in.lm

whole() { lm-fim "$@" in.lm >cut.lm && "$fim" in.lm cut.lm; }
like 'documents cut by characters are whole again' 'whole' '300 documents, 1[1-6][0-9] texts cut$'
like '.. by lines' 'whole --cut line --rate 1 --min-bytes 0' '300 documents, 300 texts cut$'
like '.. by tokens' 'whole --cut token --vocab tok --rate 1 --min-bytes 0' '300 documents, 300 texts cut$'
like '.. in pieces of a context' 'whole --level context --ctx 40 --vocab tok --rate .9' '300 documents, [0-9]* texts cut$'
run 'pieces are numbered, and have a context less 8 tokens' 0 \
    'lm-fim --rate 0 --level context --ctx 40 --vocab tok in.lm | lm-tok --eos off --vocab tok | lm-ls -k sub,shape | awk "\$1 == 7 { k++ } \$2 > 40 { exit 1 } END { exit k < 100 }"'
run 'a short document is no piece' 0 'stream id=1 "a short one" | lm-fim --level context --vocab tok | heads | grep -q -v sub='
bytes '-j changes nothing' "$(lm-fim -j 1 in.lm >1.lm; echo 1.lm)" "$(lm-fim -j 4 in.lm >4.lm; echo 4.lm)"
run 'nor does -j with pieces' 0 'lm-fim -j 1 --level context --ctx 40 --vocab tok in.lm >1.lm; lm-fim -j 3 --level context --ctx 40 --vocab tok in.lm | cmp - 1.lm'
canon() { lm-canon | lm-shuffle -s 9 2>/dev/null; }
run 'nor does the order of the documents' 0 'lm-fim in.lm | canon >1.lm; lm-shuffle -s 3 in.lm | lm-fim | canon | cmp - 1.lm'
run 'nor a split of them' 0 'lm-fim in.lm | canon >1.lm; { lm-select -e "size < 200" in.lm | lm-fim; lm-select -e "size >= 200" in.lm | lm-fim; } | lm-cat - | canon | cmp - 1.lm'
run 'another seed cuts otherwise' 1 'lm-fim -s 1 in.lm >1.lm; lm-fim -s 2 in.lm | cmp - 1.lm'
is 'rate 0 changes nothing' 'lm-fim --rate 0 in.lm | cmp - in.lm && echo same' same
is 'a short text stays whole' 'stream id=1 "0123456789" | lm-fim --rate 1 --min-bytes 11 | heads' '@doc 10 id=1'
like '.. one byte more does not' 'stream id=1 "0123456789" | lm-fim --rate 1 --min-bytes 10 | heads' 'fim='
like 'an empty text is cut into nothing' 'stream id=1 "" | lm-fim --rate 1 --min-bytes 0 | heads' '@doc 0 id=1 fim=(pre|suf):0,(suf|pre):0,mid:0'
is 'each file of a repository is cut alone' \
    'stream "id=1 fim=repo:1,file:2,text:4,file:2,text:4" "rAAabcdBBefgh" | lm-fim --rate 1 --min-bytes 0 | heads | tr -d 0-9' \
    '@doc  id= fim=repo:,file:,pre:,suf:,mid:,file:,pre:,suf:,mid:'
is '.. in the order of its files' \
    'stream "id=1 fim=repo:1,file:2,text:40,file:2,text:3" "rAA$(printf %040d 0)BBxyz" | lm-fim --rate 1 | heads | sed "s/.*mid:[0-9]*,//"' 'file:2,text:3'
fails 'cut twice' 3 'lm-fim --rate 1 in.lm | lm-fim --rate 1' 'cut for filling in already'
fails 'parts that do not fit' 3 'stream "id=1 fim=text:9" abc | lm-fim' 'fim= does not fit the body'
fails 'parts that leave a rest' 3 'stream "id=1 fim=text:2" abc | lm-fim' 'fim= does not cover the body'
fails 'a piece of a piece' 3 'stream "id=1 sub=2" "$(printf %0900d 0)" | lm-fim --level context --ctx 16 --vocab tok' 'a piece \(sub=\) already'
fails 'contexts need a vocabulary' 2 'lm-fim --level context in.lm' 'need --vocab'
fails 'a rate above 1' 2 'lm-fim --rate 1.1 in.lm' 'rate'
is 'the parts have their marks among the ids' \
    'stream id=1 "$(printf %040d 0)" | lm-fim --rate 1 --spm 0 | lm-tok --vocab tok | lm-detok --vocab tok --special text --text | tr -d 0' \
    '<|fim_prefix|><|fim_suffix|><|fim_middle|><|endoftext|>'
done_testing
