#!/bin/sh
# lm-select passes the records for which an expression holds; tests/unit/expr.c knows the language.
. "${0%/*}/t.sh"
stream 'path=a.c lang=C size=10' x 'path=b.py size=9' y '@tok size=11' z >in.lm
s() { lm-select "$@" in.lm | lm-ls -k @type,size; }

is 'a comparison by value' "s -e 'size>9'" 'doc 10
tok 11'
is 'missing keys, patterns, grouping' "s -e '!lang? & (path~\"\\.py\$\" | size==11.0)'" 'doc 9
tok 11'
is '-t selects a type and drops the others' 's -t tok' 'tok 11'
is 'both must hold' "s -t doc,gen -e 'size<10'" 'doc 9'
is '-r takes the others, with their reason' "lm-select -r r.lm -e 'lang==C' in.lm >/dev/null; lm-ls -k drop r.lm" 'lm-select:expr:lang==C
lm-select:expr:lang==C'
is 'nothing selected is an empty stream' "lm-select -e 'none?' in.lm | tail -n 1" '%end n=0 b=0'
fails 'a bad expression is a usage error, with its byte' 2 "lm-select -e 'a==' in.lm" 'expression: a value is missing .* at byte 3'
run 'no expression and no type is one' 2 'lm-select in.lm'
done_testing
