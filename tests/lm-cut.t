#!/bin/sh
# lm-cut edits headers.
. "${0%/*}/t.sh"
printf '%%lm 1\n@doc 1 a=1 b=2%%20x c=3 a=9  \nx\n@doc 0 d=4 \n\n%%end n=2 b=1\n' >in.lm
h() { lm-cut "$@" in.lm | lm-ls; }

is '-k keeps' 'h -k a,c' '@doc 1 a=1 c=3
@doc 0'
is '-d drops, each one of a repeated key' 'h -d a,d' '@doc 1 b=2%20x c=3
@doc 0'
is '--rename keeps the place' 'h --rename b=z' '@doc 1 a=1 z=2%20x c=3
@doc 0 d=4'
is '--rename to a key that is there replaces it' 'h --rename c=a' '@doc 1 b=2%20x a=3
@doc 0 d=4'
is 'two keys can change places' 'h --rename a=c --rename c=a' '@doc 1 c=1 b=2%20x a=3
@doc 0 d=4'
is '--set sets in place or appends, and escapes' 'h --set a="7 8" --set e=' '@doc 1 a=7%208 b=2%20x c=3 a=9 e=
@doc 0 d=4 a=7%208 e='
is '--no-body empties' 'lm-cut --no-body in.lm | tail -n 1' '%end n=2 b=0'
is 'what nothing changes passes as raw bytes' 'lm-cut -d zz in.lm | cmp - in.lm' ''
is '-t names a type' 'lm-cut -t tok -k zz in.lm | cmp - in.lm' ''
fails 'a bad key is a usage error' 2 'lm-cut -k A in.lm' "'A' is not a key"
fails '--set needs =' 2 'lm-cut --set a in.lm' "has no '='"
fails 'a header that grows too long is a limit' 3 'lm-cut --set a="$(head -c 70000 /dev/zero | tr "\0" x)" in.lm' limit
done_testing
