#!/bin/sh
# The readers of lm-stream(5), written without the toolkit, agree with it on real files and on hostile bodies.
. "${0%/*}/t.sh"
lm-import -o real.lm "$ROOT/lib" "$ROOT/man" "$ROOT/tests"
stream 'path=a' '@doc 3
abc' 'path=b' '' 'path=c' '%end n=1 b=3' @zz 'no LF' 'path=d' '%lm 1
@doc 9999999' >small.lm
{
    printf '%%lm 1\n@doc 6 path=nul\na\000\377\n@b\n%%# a remark\n@doc 0\n\n%%end n=2 b=6\n'
    cat real.lm small.lm
} >mixed.lm
cat >list.awk <<'E'
n>0{n-=length($0)+1;next} /^[@%]/{if(/^@/)n=$2+1;print}
E
cat >check.awk <<'E'
n>0{n-=length($0)+1; if(n<0)exit; next}
/^%lm 1( |$)/{if(o)exit; o=1; k=b=0; next}  !o{o=1; exit}
/^@[a-z][a-z0-9-]* (0|[1-9][0-9]*)( |$)/{n=$2+1; k++; b+=$2; next}
/^%end /{o=($2!=sprintf("n=%.0f",k)||$3!=sprintf("b=%.0f",b)); if(o)exit; next}
/^%abort /||!/^%/{exit}  END{exit n!=0||o||!NR}
E
cat >read.py <<'E'
import sys, urllib.parse
f = sys.stdin.buffer
last, n, total = b'', 0, 0
for h in iter(f.readline, b''):
    last = h
    if h[:1] == b'@':
        t, size, *kv = h[1:].split()
        body = f.read(int(size) + 1)[:-1]
        n, total = n + 1, total + len(body)
        a = dict(x.partition(b'=')[::2] for x in reversed(kv))
        a = {k: urllib.parse.unquote_to_bytes(v) for k, v in a.items()}
        print(t.decode(), len(body), a.get(b'path', b'-').decode())
sys.exit(not last.startswith(b'%end '))
E
lm-ls mixed.lm >want
for awk in mawk gawk 'busybox awk'; do
    command -v "${awk%% *}" >/dev/null || { note "no $awk here"; continue; }
    case $awk in busybox*) printf 'a\000b\n' | busybox awk '{exit length($0)!=3}' ||
        { note 'this busybox stops a line at NUL'; cp real.lm mixed.lm; lm-ls mixed.lm >want; } ;; esac
    is "$awk lists the headers that lm-ls lists" "$awk -f list.awk mixed.lm | grep -a ^@ | sed 's/ *$//' | cmp - want" ''
    run "$awk finds the files whole" 0 "$awk -f check.awk mixed.lm && $awk -f check.awk small.lm"
    size=$(wc -c <small.lm) at=0 missed=''
    while [ $at -lt $((size - 1)) ]; do
        head -c $at small.lm | $awk -f check.awk && missed="$missed $at"
        at=$((at + 1))
    done
    is "$awk finds every cut but the loss of the last LF" "echo '$missed'" ''
done
is 'tail tells a whole file' 'tail -n 1 real.lm | cut -c 1-5' '%end '
is 'grep gives a rough look' "grep -ac '^@[a-z-]* [0-9]' real.lm | { read -r n; [ \$n -ge $(lm-ls real.lm | wc -l) ] && echo enough; }" enough
printf 'int x;\n' >a.c
is 'sh writes a stream' "{ printf '%%lm 1\n@doc %d path=a.c\n' \"\$(wc -c <a.c)\"; cat a.c; printf '\n%%end n=1 b=%d\n' \"\$(wc -c <a.c)\"; } >w.lm; lm-check w.lm && lm-ls w.lm" '@doc 7 path=a.c'
skip_without python3
is 'python reads types, bodies and attributes' "lm-ls -k @type,@len,path real.lm >want2; python3 read.py <real.lm | cmp - want2" ''
run 'python sees a missing end' 1 "sed '\$d' real.lm | python3 read.py"
done_testing
