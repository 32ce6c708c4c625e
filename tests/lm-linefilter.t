#!/bin/sh
# lm-linefilter measures lines and characters as defined, and drops at the published bounds, not one before.
. "${0%/*}/t.sh"

attrs() { heads | sed 's/^@doc [0-9]* //; s/^path=[^ ]* //'; }
is 'an ASCII text' 'stream path=a "ab 1
c_d" | lm-linefilter | attrs' \
    'n-lines=2 line-max=4 line-mean=3.5 alpha=0.5 alnum=0.625 digit=0.125 space=0.25 nonascii=0 enc-run=0 enc-frac=0'
is 'an empty text divides by nothing' 'stream path=a "" | lm-linefilter -x | attrs' \
    'n-lines=0 line-max=0 line-mean=0 alpha=0 alnum=0 digit=0 space=0 nonascii=0 enc-run=0 enc-frac=0'
is 'characters, not bytes; CR before LF is no character of the line' \
    'printf "%%lm 1\n@doc 9 a=1\n\303\251\303\251\r\nx\r\n\n%%end n=1 b=9\n" | lm-linefilter | heads | cut -d" " -f4-6' 'n-lines=2 line-max=2 line-mean=1.5'
is 'an invalid byte is a character' 'printf "%%lm 1\n@doc 3\na\377b\n%%end n=1 b=3\n" | lm-linefilter | heads | cut -d" " -f4,10' 'line-max=3 nonascii=0.33333334'
is 'binary documents pass untouched' 'printf "%%lm 1\n@doc 3\na\000b\n@doc 3 enc=binary\nabc\n%%end n=2 b=6\n" | lm-linefilter -x | heads' '@doc 3
@doc 3 enc=binary'
run 'filtered twice is filtered once' 0 'stream "path=a.c id=1" "int main;" path=b.h "#if" >in.lm; lm-linefilter in.lm >1.lm; lm-linefilter 1.lm | cmp - 1.lm'

# judged ATTRS BYTE COUNT: does a document of lines of that shape stay? rep C N prints C N times
rep() { awk -v c="$1" -v n="$2" 'BEGIN { for (i = 0; i < n; i++) printf "%s", c }'; }
# shellcheck disable=SC2086
stays() { stream "$1" "$2" | lm-linefilter -x -r rej.lm ${3-} | tail -n 1 | cut -d' ' -f2; heads rej.lm | sed -n 's/.*drop=//p'; }
text=$(rep 'some words here and there
' 60)'
'
is 'a line of 1,000 characters stays' 'stays path=a.c "$text$(rep "a b" 333)a"' n=1
is 'one of 1,001 goes, and says why' 'stays path=a.c "$text$(rep "a b" 333)ab"' 'n=0
lm-linefilter:line-max:1001'
is 'in Markdown the bound is 100,000' 'stays path=a.md "$text$(rep "a b" 333)ab"; stays path=x.md "$(rep "a " 50000)"; stays lang=Markdown "$(rep "a " 50000)a"' 'n=1
n=1
n=0
lm-linefilter:line-max:100001'
is 'lang goes before the extension' 'stays "path=a.md lang=C" "$text$(rep "a b" 333)ab"' 'n=0
lm-linefilter:line-max:1001'
is 'mean line 100 stays, above goes' 'stays path=a.c "$(rep "if: " 25)"; stays path=a.c "$(rep "if: " 25)x"' 'n=1
n=0
lm-linefilter:line-mean:101'
is 'a quarter of letters stays, less goes' 'stays path=a.c "a+-*"; stays path=a.c "a+-*/"' 'n=1
n=0
lm-linefilter:alpha:0.2'
is 'in WebAssembly digits count with the letters' 'stays path=a.wat "1+-*"; stays path=a.wat "1+-*/"' 'n=1
n=0
lm-linefilter:alnum:0.2'
is '512 lines of JSON stay, 513 go' 'stays path=a.json "$(rep "\"ab\":
" 512)x"; stays path=a.json "$(rep "\"ab\":
" 513)x"' 'n=1
n=0
lm-linefilter:n-lines:513'
is '100,000 lines stay, 100,001 go' 'stays path=a.c "$(rep "a;
" 100000)x"; rep "a;
" 100001 >body; { printf "%%lm 1\n@doc 300003 path=a.c\n"; cat body; printf "\n%%end n=1 b=300003\n"; } | lm-linefilter -x -r rej.lm | tail -n 1 | cut -d" " -f2; heads rej.lm | sed -n s/.*drop=//p' 'n=1
n=0
lm-linefilter:n-lines:100001'
lines64=$(rep 'QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVpBQkNERUZHSElKS0xNTk9QUVJTVFVW
' 16)
is 'an encoded run of 1,024 stays, of 1,025 goes' \
    'stays path=a.c "$(rep "; some text
" 200)- $(printf %s "$lines64" | head -c 1024)-"; stays path=a.c "$(rep "; some text
" 200)- $(printf %sQ "$lines64" | head -c 1025) -"' 'n=1
n=0
lm-linefilter:enc-run:1025'
is 'half of the text encoded stays, more goes' \
    'stays path=a.c "$(rep Q 99)
$(rep "; x
" 25)."; stays path=a.c "$(rep Q 99)
$(rep "; x
" 24)
;x"' 'n=1
n=0
lm-linefilter:enc-frac:0.5050505'
is 'plain text stays by its name alone' \
    'for n in README.txt d/requirements-dev.txt NOTES.txt d/TODO.TXT story.txt; do stays path=$n "some words"; done' 'n=1
n=1
n=1
n=1
n=0
lm-linefilter:text-name:0'
vis=$(rep 'word ' 20)
is 'HTML stays if 100 characters and a fifth of it can be seen' \
    'stays path=a.html "<html><head><title>t</title></head><body>${vis}x</body></html>"; stays path=a.html "<body>${vis}</body>"; stays path=a.html "<body>${vis}x</body><script>$(rep "if (a < b) c();
" 40)</script>"' 'n=1
n=0
lm-linefilter:html-vis:99
n=0
lm-linefilter:html-vis:0.13116883'
is 'stack1 has one bound for all languages' 'stays path=a.md "$text$(rep "a b" 333)ab" "--profile stack1"; stays path=a.json "{$(rep "\"ab\":
" 600)x" "--profile stack1"' 'n=0
lm-linefilter:line-max:1001
n=1'
is 'stack1: alnum a quarter' 'stays path=a.c "1+-*" "--profile stack1"; stays path=a.c "1+-*/" "--profile stack1"' 'n=1
n=0
lm-linefilter:alnum:0.2'
is '--rule goes with the profile, or alone' \
    'stays path=a.c "some words" "--rule line-max>9"; stays path=a.c "+-" "--profile none --rule n-lines>1"; stays lang=C "ab" "--rule line-max>1&lang!=HTML"' 'n=0
lm-linefilter:rule:line-max>9
n=1
n=0
lm-linefilter:rule:line-max>1&lang!=HTML'
is 'without -x nothing is dropped' 'stream path=a "+++" | lm-linefilter | tail -n 1' '%end n=1 b=3'
fails '-r without -x is a usage error' 2 'stream path=a b | lm-linefilter -r r.lm' 'needs -x'
fails '--rule without -x is a usage error' 2 'stream path=a b | lm-linefilter --rule alpha\<1' 'needs -x'
fails 'a bad rule is a usage error' 2 'stream path=a b | lm-linefilter -x --rule "alpha<"' 'lm-linefilter: .*usage'
is '--counts tells what went by rule' 'stream path=a "+++" path=b "a b" path=c "+" | lm-linefilter -x --counts c.lm >/dev/null; heads c.lm | grep rule=alpha | cut -d" " -f5-' 'rule=alpha records=2 bytes=4'

rep 'x' 67108864 >line
{ printf '%%lm 1\n@doc 67108864 path=a.c\n'; cat line; printf '\n%%end n=1 b=67108864\n'; } >long.lm
is 'a line of 64 MiB' 'lm-linefilter long.lm | head -n 2 | tail -n 1 | cut -d" " -f4-8' 'n-lines=1 line-max=67108864 line-mean=67108864 alpha=1 alnum=1'
rm -f line long.lm

skip_without peers
"$LM_PEERS" "$ROOT/tests/peer/linefilter.py" make >in.lm
is 'the same figures as an independent Python program, at every level' \
    'for l in ref auto; do LM_DEVICE=$l lm-linefilter in.lm | "$LM_PEERS" "$ROOT/tests/peer/linefilter.py" check; done' '1014 agree
1014 agree'
run '-j 1 = -j 2' 0 'lm-linefilter -j 1 -x -r a.lm in.lm >1.lm; lm-linefilter -j 2 -x -r b.lm in.lm | cmp - 1.lm && cmp a.lm b.lm'
done_testing
