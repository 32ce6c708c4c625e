#!/bin/sh
# pii.sh: lm-pii on source code against the same patterns bare in PCRE2-JIT, one thread each.
set -u
. "${0%/*}/code.inc"
row() # WHAT TYPES LINE
{
    s=$(best "lm-pii -j 1 --detect --only $2 $t/code.lm")
    printf '%s\tMB/s\t%s\t%s\t%s\n' "$1" "$(rate "$mb" "$s")" "$peer" "$(sed -n "$3p" "$t/peer" | cut -d' ' -f1)"
}
peer=- && : >"$t/peer"
if ${CC:-cc} -O2 -o "$t/pcre" "${0%/*}/pcre.c" -lpcre2-8 2>/dev/null; then
    awk 'n>0{if(length($0)>=n)print substr($0,1,n);else print;n-=length($0)+1;next} /^@/{n=$2}' "$t/code.lm" >"$t/code.txt"
    "$t/pcre" "$t/code.txt" >"$t/peer" && peer='pcre2 jit'
fi
row 'lm-pii: e-mail' email 1
row 'lm-pii: IPv4' ipv4 2
row 'lm-pii: keys' key 3
row 'lm-pii: everything' email,ipv4,ipv6,key,url-cred 4
