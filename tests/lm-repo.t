#!/bin/sh
# lm-repo joins neighbours of one repository, names what it should, and never exceeds its size but for one file.
. "${0%/*}/t.sh"

two() { stream "id=1 repo=a/b path=x.h lang=c lic=MIT" 'int x;' "id=2 repo=a/b path=d/y.h lang=c lic=BSD" 'int y;
'; }
is 'names, paths, contents' 'two | lm-repo --meta 1 | lm-cut -d id' '%lm 1
@doc 26 repo=a/b lang=c size=26 files=2 fim=repo:3,file:4,text:6,file:6,text:7
a/bx.h
int x;d/y.h
int y;

%end n=1 b=26'
is 'contents alone' 'two | lm-repo --meta 0 | lm-cut -k fim,files' '%lm 1
@doc 13 files=2 fim=file:0,text:6,file:0,text:7
int x;int y;

%end n=1 b=13'
is 'the id is that of the body' 'two | lm-repo --meta 0 | lm-ls -k id' "$(printf 'int x;int y;\n' | lm-import - | lm-ls -k id)"
many() # REPOS FILES
{
    awk -v r="$1" -v f="$2" 'BEGIN { print "%lm 1"; for (i = 0; i < r; i++) for (k = 0; k < f; k++) {
        t = sprintf("text %d of %d", k, i); b += length(t)
        printf "@doc %d repo=r%04d path=f%d\n%s\n", length(t), i, k, t } printf "%%end n=%d b=%d\n", r * f, b }'
}
is 'the share of those with names is what was asked' \
    'many 2000 1 | lm-repo --meta .3 | lm-ls -k fim | awk "/repo/ { n++ } END { print (n >= 539 && n <= 661) }"' 1
run 'names are drawn by repository alone' 0 \
    'many 50 3 | lm-repo | lm-ls -k repo,fim | awk "/repo:/ { print \$1 }" >1; many 50 2 | lm-repo | lm-ls -k repo,fim | awk "/repo:/ { print \$1 }" | cmp - 1'
is 'no record is larger than asked' 'many 3 10 | lm-repo --meta 0 --max-bytes 30 | lm-ls -k size | sort -n | tail -n 1' 22
is '.. pieces are numbered' 'many 1 5 | lm-repo --meta 0 --max-bytes 30 | lm-ls -k sub,files | tr "\t" " "' '0 2
1 2
2 1'
is 'one larger file stands alone' 'many 1 3 | lm-repo --meta 1 --max-bytes 5 | lm-ls -k files | sort -u' 1
is 'many small files are several records: fim= fits a header' 'many 1 9000 | lm-repo --max-bytes 1G | lm-ls -k files | awk "{ n += \$1 } END { print n, (NR > 1) }"' '9000 1'
is 'documents of no repository pass' 'stream path=a x | lm-repo | heads' '@doc 1 path=a'
is 'nothing in, nothing out' 'printf "%%lm 1\n%%end n=0 b=0\n" | lm-repo' '%lm 1
%end n=0 b=0'
is 'another key' 'two | lm-repo -k lang --meta 0 | lm-ls -k files' 2
is 'names come back from ids, with their marks' \
    'two >in.lm; lm-bpe-train -q -o tok --vocab-size 272 --reserve 8 --pad-to 1 --allow-short in.lm; lm-repo --meta 1 in.lm | lm-tok --vocab tok | lm-detok --vocab tok --special text --text' \
    '<|repo_name|>a/b<|file_sep|>x.h
int x;<|file_sep|>d/y.h
int y;
<|endoftext|>'
like 'then the texts are cut for filling in' 'lm-repo --meta 1 in.lm | lm-fim --rate 1 --min-bytes 0 | heads' 'fim=repo:3,file:4,(pre|suf):[0-9]*,(suf|pre):[0-9]*,mid:[0-9]*,file:6,'
is 'only neighbours are joined' 'stream repo=b x repo=a y repo=b z | lm-repo --meta 0 | lm-ls -k repo,files | tr "\t" " "' 'b 1
a 1
b 1'
fails 'parts already' 3 'two | lm-repo | lm-repo' 'several parts already'
done_testing
