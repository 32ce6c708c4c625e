#!/bin/sh
# contract.t [TOOL ..]: what every tool inherits by being in bin/. Without TOOL: all of them, JOBS at a time.
# Row 1 of --help=tsv says what a tool reads, writes and keeps in order, and so which items it is held to; their
# numbers stand in the test names. A tool that needs operands or records of its own says so in
# tests/contract/TOOL.sh, a shell file that is sourced in the scratch folder and may set or define
#   opts, operands   words of the command line, before and after the options under test
#   input            a function that prints the stream the tool is given (else a few documents)
#   setup            a function that makes files the command line names
#   skip             the numbers of items that have no meaning for this tool, each explained by a comment
#   seconds          how long one command may take (20)
#   equal            of a tool that writes a folder: the files that are equal when run twice, as find -path sees them (./*)
#   stays            the name in the folder that a failure must not leave, where the folder itself may stay: a run that
#                    can go on
# CONTRACT=quick leaves out what takes long (22, and 19 on less data): for sanitized builds.
. "${0%/*}/t.sh"
script=$ROOT/tests/contract.t
quick=${CONTRACT:-full}

. "$ROOT/tests/contract/tool.sh"

ok() { run "$name: $1" 0 "$2"; }
same() # NAME CMD WANT: CMD exits 0 or 1 and prints what file WANT holds
{
    t_do "$2"; t_got=$?
    if [ $t_got -gt 1 ]; then t_not "$name: $1" "status $t_got: $2"; return; fi
    if cmp -s "$out" "$3"; then t_ok "$name: $1"; else t_not "$name: $1" "$(cmp "$out" "$3" 2>&1): $2"; fi
}
# refuses NAME CLASS CMD: exit 3, the class named in one line of the form tool: file:record:byte: class: detail
refuses()
{
    t_do "$3"; t_got=$?
    if [ $t_got != 3 ]; then t_not "$name: $1" "status $t_got, not 3: $3"
    elif [ "$(wc -l <"$err")" != 1 ] || ! grep -aq "^$name: .*: $2: " "$err"; then
        t_not "$name: $1" "not one line that says $2: $3"
    elif tail -n 1 "$out" | grep -aq '^%end'; then t_not "$name: $1" 'the output claims to be whole'
    else t_ok "$name: $1"; fi
}
yields() # NAME FUNCTION: FUNCTION returns 0; what it prints tells why not
{
    t_why=$($2 2>"$err"); t_got=$?
    if [ $t_got = 0 ]; then t_ok "$name: $1"; else t_not "$name: $1" "$t_why"; fi
}

. "$ROOT/tests/contract/items.sh"
done_testing
