#!/bin/sh
# lm-canon: equal data, equal bytes.
. "${0%/*}/t.sh"
printf '%%lm 1\n%%by tool=x ver=1\n@doc 1 b=%%41 a=x%%20 b=2 aa=1   \nx\n%%# note\n%%seg n=1 b=1\n@tok 0\n\n%%end n=2 b=1\n' >a.lm
printf '%%lm 1\n@doc 1 aa=1 a=x%%20 b=A\nx\n%%end n=1 b=1\n%%lm 1\n@tok 0\n\n%%end n=1 b=0\n' >b.lm

is 'keys sorted, the first of a repeated one, escapes minimal, no padding, no notes' 'LM_PROV=1 lm-canon a.lm' '%lm 1
@doc 1 a=x%20 aa=1 b=A
x
@tok 0

%end n=2 b=1'
lm-canon a.lm >canon
is 'what says the same has the same bytes' 'lm-canon b.lm | cmp - canon' ''
is 'no checksum with -o' 'lm-canon -o o.lm a.lm; tail -n 1 o.lm' '%end n=2 b=1'
is 'the form is its own' 'lm-canon a.lm | lm-canon | cmp - canon' ''
is '-j does not show' 'for i in 1 2 3; do cat a.lm b.lm; done | lm-canon -j 3 >3; for i in 1 2 3; do cat a.lm b.lm; done | lm-canon -j 1 | cmp - 3' ''
done_testing
