#!/bin/sh
# The table of character classes is what the Unicode data files say, as far as those installed know its characters.
. "${0%/*}/t.sh"
skip_without python3
data=${LM_UNICODE:-/usr/share/unicode}
[ -f "$data/DerivedAge.txt" ] || { echo "1..0 # SKIP no Unicode data in $data (Debian package unicode-data)"; exit 0; }
make="python3 $ROOT/lib/text/uclass.py"

run 'a table is made of the installed data' 0 "$make $data >tab.c"
note "$(sed -n '1s/ *\*\///p' tab.c)"
is 'the data agree with the table made of them' "$make -d tab.c $data | grep -v compared" ''
is 'every character both know has the class that the table in use gives' \
    "$make -d $ROOT/lib/text/uclass-tab.c $data | grep -v compared" ''
like 'these are all of them' "$make -d $ROOT/lib/text/uclass-tab.c $data" '^2[89][0-9]{4} characters compared$'
sed 's/"55555/"55545/' "$ROOT/lib/text/uclass-tab.c" >other.c
like 'a class that is another is found' "$make -d other.c $data" '^U[+][0-9A-F]*: class 4, not 5$'
is 'the vocabulary names the version of the table' \
    "sed -n 's/.*from Unicode \\([0-9.]*\\).*/\\1/p' $ROOT/lib/text/uclass-tab.c; sed -n 's/.*\"unicode_version\", LM_STR(\"\\(.*\\)\").*/\\1/p' $ROOT/lib/text/vocab-write.c" \
    '16.0.0
16.0.0'
done_testing
