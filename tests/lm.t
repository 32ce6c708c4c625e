#!/bin/sh
# lm runs tools as verbs and tells what there is.
. "${0%/*}/t.sh"
stream path=a.c 'one' >in.lm

is 'a verb runs the tool of that name, with its arguments' 'lm ls -k path in.lm' 'a.c'
is 'from its own folder, whatever PATH says' "PATH=/usr/bin:/bin $BIN/lm ls -k path in.lm" 'a.c'
is 'commands that a tool runs find their sisters' "PATH=/usr/bin:/bin $BIN/lm par -j 1 'lm-grep one' in.lm | $BIN/lm ls -k path" 'a.c'
run "the tool's status is the status" 1 'lm grep whale in.lm'
like 'help lists tools with their purpose' 'lm help' '^lm-cat +join, compress'
is 'the list has every page once, by name' 'lm help | cut -d" " -f1 >l; sort -cu l' ''
is 'pages outside section 1 show theirs' 'lm help | grep -c "^lm-stream(5) "' 1
is 'it names what is beside it' 'lm help | cut -d" " -f1 | grep -c "^lm-"' "$(cat "$ROOT"/man/*.[157] | grep -c '^\.Nm lm-[a-z-]*$')"
mkdir -p inst/bin inst/share/man/man1 && cp "$BIN/lm" inst/bin/ && cp "$ROOT/man/lm-ls.1" inst/share/man/man1/
is 'installed, it reads the installed pages' 'inst/bin/lm help' 'lm-ls  list the headers of records'
gzip inst/share/man/man1/lm-ls.1
is 'compressed ones too' 'inst/bin/lm help' 'lm-ls  list the headers of records'
printf '#!/bin/sh\necho "page of $2"\n' >./man && chmod +x ./man
like 'help VERB shows the page by man' 'PATH=.:$PATH lm help ls' 'page of .*/lm-ls.1$'
fails 'an unknown verb is a usage error, near names are told' 2 'lm ctt' 'no lm-ctt; near: .*cat'
fails 'also with arguments behind it' 2 'lm nothing-like-it --x' 'there is no lm-nothing-like-it$'
fails 'so is a page that is not there' 2 'lm help nothing' "no manual page of 'nothing'"
run 'no verb at all is one' 2 'lm'
done_testing
