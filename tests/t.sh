# t.sh: what every test file stands on; sourced first:  . "${0%/*}/t.sh"
# Gives a scratch folder (the working directory, removed at the end), PATH to the tools of build/$CONF,
# and functions that print TAP. CMD is a shell command line; it sees these functions and an empty stdin.
#   run NAME STATUS CMD         CMD exits with STATUS; its output is left in $out and $err (files)
#   is NAME CMD TEXT            CMD prints TEXT (newlines at the end apart)
#   like NAME CMD ERE           a line that CMD prints matches ERE
#   fails NAME STATUS CMD ERE   CMD exits with STATUS and its message on stderr matches ERE
#   bytes [NAME] A B            files A and B hold the same bytes
#   golden NAME CMD             CMD prints what tests/golden/TEST/NAME holds; UPDATE=1 rewrites that
#   stream ATTRS BODY ..        prints a stream of documents by hand; ATTRS may begin with @TYPE
#   heads [FILE]                the record headers of a stream, bodies stepped over
#   skip_without TOOL ..        skips what follows unless each TOOL is a command; peers = python of $LM_PEERS,
#                               peers:MODULE = that and a module of it, cuda = a CUDA device
#   alone NAME                  waits until no other test is alone with NAME, for what all of the machine sees
#   note TEXT                   a remark
#   done_testing                the plan; last line of each file
# Variables: $ROOT (the repository), $BIN (the tools), $out, $err. Goldens have no %by: LM_PROV=0 is set.
# shellcheck shell=sh

set -u
case $0 in */*) ROOT=$(cd "${0%/*}" && pwd) ;; *) ROOT=$(pwd) ;; esac
while [ ! -f "$ROOT/VERSION" ] && [ -n "$ROOT" ]; do ROOT=${ROOT%/*}; done
CONF=${CONF:-release}
BIN=$ROOT/build/$CONF/bin
PATH=$BIN:$PATH
LC_ALL=C
LM_PROV=0
ASAN_OPTIONS=${ASAN_OPTIONS:-exitcode=99:detect_leaks=0:allocator_may_return_null=1}
UBSAN_OPTIONS=${UBSAN_OPTIONS:-exitcode=99:print_stacktrace=1}
TSAN_OPTIONS=${TSAN_OPTIONS:-exitcode=99}
PYTHONDONTWRITEBYTECODE=1
export ROOT CONF PATH LC_ALL LM_PROV PYTHONDONTWRITEBYTECODE ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS
unset LM_MAX_BODY CDPATH
t_name=${0##*/} t_name=${t_name%.t} t_n=0 t_bad=0
T=$(mktemp -d "${TMPDIR:-/tmp}/lm-test.XXXXXX") || exit 1
out=$T/.out err=$T/.err
trap 'cd / && chmod -R u+rwX "$T" 2>/dev/null; rm -rf "$T"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$T" || exit 1

alone() { exec 9>"${TMPDIR:-/tmp}/lm-test-$1.lock" && flock -w 300 9; }
note() { printf '%s\n' "$*" | sed 's/^/# /'; }
t_show() { head -n 20 | head -c 4000 | tr -c '\11\12\40-\176' '?' | sed "s/^/# $1: /"; }
t_ok() { t_n=$((t_n + 1)); printf 'ok %d - %s\n' "$t_n" "$1"; }
t_not() # NAME REMARK: a failure, with the command's message if it left one
{
    t_n=$((t_n + 1)) t_bad=$((t_bad + 1))
    printf 'not ok %d - %s\n' "$t_n" "$1"
    note "$2"
    [ ! -s "$err" ] || t_show stderr <"$err"
}
t_do() { (eval "$1") </dev/null >"$out" 2>"$err" 9>&-; }

run()
{
    t_do "$3"; t_got=$?
    if [ "$t_got" = "$2" ]; then t_ok "$1"; else t_not "$1" "status $t_got, not $2: $3"; fi
}
is()
{
    t_do "$2"; t_st=$? t_got=$(tr -d '\0' <"$out") t_want=$(printf '%s' "$3")
    if [ "$t_got" = "$t_want" ]; then t_ok "$1"; return; fi
    t_not "$1" "$2 (status $t_st)"
    printf '%s\n' "$t_want" | t_show want
    printf '%s\n' "$t_got" | t_show have
}
like()
{
    t_do "$2"; t_st=$?
    if grep -aEq -e "$3" "$out"; then t_ok "$1"; return; fi
    t_not "$1" "no line matches $3: $2 (status $t_st)"
    t_show have <"$out"
}
fails()
{
    t_do "$3"; t_got=$?
    if [ "$t_got" != "$2" ]; then t_not "$1" "status $t_got, not $2: $3"
    elif ! grep -aEq -e "$4" "$err"; then t_not "$1" "no message matches $4: $3"
    else t_ok "$1"; fi
}
bytes()
{
    [ $# = 3 ] || set -- "$1 and $2 hold the same bytes" "$@"
    if cmp "$2" "$3" >"$err" 2>&1; then t_ok "$1"; else t_not "$1" "$2 and $3 differ"; fi
}
golden()
{
    t_gold=$ROOT/tests/golden/$t_name/$(printf %s "$1" | tr -c 'A-Za-z0-9\n' -)
    t_do "$2"; t_st=$?
    if [ "${UPDATE:-0}" = 1 ]; then mkdir -p "${t_gold%/*}" && cp "$out" "$t_gold"; fi
    if cmp -s "$out" "$t_gold"; then t_ok "$1"; return; fi
    t_not "$1" "not as in ${t_gold#"$ROOT"/} (UPDATE=1 rewrites it): $2 (status $t_st)"
    diff -a "$t_gold" "$out" 2>&1 | t_show diff
}
stream()
{
    t_k=0 t_b=0
    printf '%%lm 1\n'
    while [ $# -ge 2 ]; do
        t_type=doc t_attrs=$1
        case $1 in @*) t_type=${1%% *} t_type=${t_type#@} t_attrs=${1#"@$t_type"} t_attrs=${t_attrs# } ;; esac
        printf '@%s %d%s\n%s\n' "$t_type" "${#2}" "${t_attrs:+ $t_attrs}" "$2"
        t_k=$((t_k + 1)) t_b=$((t_b + ${#2}))
        shift 2
    done
    printf '%%end n=%d b=%d\n' "$t_k" "$t_b"
}
heads() { awk 'n>0{n-=length($0)+1;next} /^@/{n=$2+1;print}' "$@"; }
t_have()
{
    case $1 in
    peers) [ -x "${LM_PEERS:-}" ] ;;
    peers:*) [ -x "${LM_PEERS:-}" ] && "$LM_PEERS" -c "import ${1#peers:}" 2>/dev/null ;;
    cuda) [ -e /dev/nvidiactl ] ;;
    *) command -v "$1" >/dev/null ;;
    esac
}
skip_without()
{
    for t_tool; do
        t_have "$t_tool" && continue
        if [ $t_n = 0 ]; then echo "1..0 # SKIP no $t_tool"; exit 0; fi
        t_ok "the rest # SKIP no $t_tool"
        done_testing
    done
}
done_testing()
{
    echo "1..$t_n"
    exit $((t_bad > 0))
}
