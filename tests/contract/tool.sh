# tool.sh: one tool under test, with the operands and records that tests/contract/TOOL.sh gives it; sourced by
# contract.t and fault/fault.sh with the arguments of these: TOOL, or nothing for all.
# shellcheck shell=sh
probe=${BIN%bin}tests/probe
[ -x "$probe" ] || MAKEFLAGS='' make -s -C "$ROOT" CONF="$CONF" helpers >&2 || exit 1

# All tools: each in a process of its own, the results in one plan.
if [ $# = 0 ]; then
    for f in "$ROOT"/bin/*.c; do
        f=${f##*/} f=${f%.c}
        [ ! -x "$BIN/$f" ] || printf '%s\n' "$f"                   # one that lacks a library is not built
    done >tools
    xargs -P "${JOBS:-$(nproc)}" -I NAME sh -c 'sh "$1" "$2" >"$2.tap" 2>"$2.log" </dev/null || :' \
        sh "$script" NAME <tools
    while read -r name; do
        grep -q '^1\.\.' "$name.tap" || { cat "$name.log" >&2; echo "not ok 0 - $name: the test ran to its end"; }
        cat "$name.tap"
    done <tools | awk '/^1\.\./ { next }
        /^(not )?ok [0-9]+ / { n++; bad += /^not/; sub(/ok [0-9]+/, "ok " n) } { print }
        END { print "1.." n + 0; exit bad > 0 }'
    exit
fi

name=$1
opts='' operands='' skip='' seconds=20 equal='./*' stays=''
input()
{
    stream 'id=0123456789abcdef0123456789abcdef src=t repo=a/b path=src/main.c ext=c lang=c' "$(cat "$ROOT/tests/probe.c")" \
        'id=1123456789abcdef0123456789abcdef src=t repo=a/b path=two.py ext=py lang=python' 'def f(x):
    """Twice x."""
    return x + x
' \
        'id=2123456789abcdef0123456789abcdef src=t repo=c/d path=a%20b.txt ext=txt' 'mail me at someone@example.com
' 'path=empty' ''
}
setup() { :; }
faults() { :; } # fault.sh: further ways to run the tool, by its try
conf=$ROOT/tests/contract/$name.sh
# shellcheck source=/dev/null
[ ! -f "$conf" ] || . "$conf"

tab='	'
"$name" --help=tsv >tsv 2>/dev/null </dev/null || { t_not "$name: (1) --help=tsv" "status $?"; done_testing; }
IFS=$tab read -r _ purpose reads writes order _ <tsv
sed 1d tsv >options
has() { grep -q "$tab$1$tab\|^$1$tab" options; }
held() # NUMBER: is the tool held to this item?
{
    case " $skip " in *" $1 "*) return 1 ;; *) return 0 ;; esac
}
# The command under test: C OPTIONS FILES -> a command line
C() { printf 'timeout %s %s %s %s %s %s' "$seconds" "$name" "$opts" "$1" "$operands" "$2"; }
setup
input >in.lm
