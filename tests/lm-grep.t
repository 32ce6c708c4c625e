#!/bin/sh
# lm-grep passes what matches.
. "${0%/*}/t.sh"
stream 'path=a.c' 'one fish
two fish' 'path=b.c lang=C' 'Grün a.b' 'path=c.py' '' @tok 'fish' >in.lm

is 'a pattern is looked for in bodies' 'lm-grep "f.sh" in.lm | lm-ls' '@doc 17 path=a.c
@tok 4'
is '^ and $ match at lines' 'lm-grep -c "^two fish$" in.lm' 1
is '. is a character' 'lm-grep -c "^Gr.n a" in.lm' 1
is '-i matches either case, Unicode too' 'lm-grep -c -i "GRÜN" in.lm' 1
is '-F takes plain bytes' 'lm-grep -c -F a.b in.lm; lm-grep -F -c "o.e" in.lm' '1
0'
is '-F -i as well' 'lm-grep -F -i -c A.B in.lm' 1
is '-k looks in an attribute' 'lm-grep -k path "py$" in.lm | lm-ls' '@doc 0 path=c.py'
is 'an absent attribute does not match' 'lm-grep -c -k lang "" in.lm' 1
is '--not passes the others' 'lm-grep --not -k lang C in.lm | lm-ls -k path' 'a.c
c.py
-'
is '-t leaves other types alone' 'lm-grep -t doc nothing in.lm | lm-ls' '@tok 4'
is '-r takes what is dropped' 'lm-grep -t doc -r r.lm fish in.lm >/dev/null; lm-ls -k path,drop r.lm' 'b.c lm-grep:grep:fish
c.py lm-grep:grep:fish'
run 'no match is the negative answer' 1 'lm-grep whale in.lm'
run 'also of -c' 1 'lm-grep -c whale in.lm'
fails 'a bad pattern is a usage error' 2 'lm-grep "a(" in.lm' "pattern 'a\\(': .* at byte 2"
stream '' "$(yes a | head -n 40 | tr -d '\n')b" >evil.lm
fails 'backtracking without end is a limit, at its record' 3 'lm-grep "^((a+)+|(a|aa)+)+$" evil.lm' 'evil.lm:0:6: limit'
done_testing
