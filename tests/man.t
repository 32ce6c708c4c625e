#!/bin/sh
# man.t [PAGE ..]: the manual pages tell the truth: their options are those of --help=tsv, their purpose too, and
# each `$ ' line of their EXAMPLES, run in a scratch folder, prints what stands below it. The commands of a page run
# in one shell, in order. A line goes on in the next one if it ends in | or \ or if that begins with `> '; <<'E' takes
# the lines to E. A block
# after the comment  .\" run: no (WHY)  is shown and not run.
. "${0%/*}/t.sh"
common=' jobs output rejects counts type lax crc quiet verbose help version '
tab='	'

# Turns a page's examples into script (which tells what it does and does it) and want (what that should print).
transcript()
{
    awk -v script=script -v want=want '
        function plain(s) {
            gsub(/\\\(aq/, "\047", s); gsub(/\\\(dq/, "\"", s); gsub(/\\\(ti/, "~", s); gsub(/\\\(ha/, "^", s)
            gsub(/\\\(ga/, "`", s); gsub(/\\-/, "-", s); gsub(/\\&/, "", s); gsub(/\\e/, "\\", s)
            return s
        }
        function quoted(s) { gsub(/\047/, "\047\\\047\047", s); return "\047" s "\047" }
        function flush_cmd() {
            if (cmd == "") return
            printf "%s\n", shown >want
            printf "t_s=$?; printf \"%%s\\n\" %s; (exit $t_s)\n{ %s\n} >\"$T/shows\" 2>&1\n", quoted(shown), cmd >script
            print "t_s=$?; cat \"$T/shows\"; [ -z \"$(tail -c 1 \"$T/shows\")\" ] || echo; (exit $t_s)" >script
            cmd = ""
        }
        BEGIN { printf "" >script; printf "" >want }
        /^\.Sh / { here = /EXAMPLES/ }
        /^\.\\" run: no/ { skip = 1; next }
        here && /^\.Bd -literal/ { lit = 1; next }
        /^\.Ed/ { if (lit) flush_cmd(); lit = 0; skip = 0; more = 0; next }
        !lit || skip { next }
        {
            line = plain($0)
            if (till != "") { cmd = cmd "\n" line; shown = shown "\n" line; if (line == till) till = ""; next }
            if (line ~ /^\$ /) { flush_cmd(); cmd = substr(line, 3); shown = line; n++ }
            else if (cmd != "" && (more || line ~ /^> /)) {
                shown = shown "\n" line
                sub(/^> /, "", line)
                cmd = cmd "\n" line
            }
            else { flush_cmd(); print line >want; next }
            if (match(line, /<<\047?[A-Z]+\047?/)) { till = substr(line, RSTART + 2, RLENGTH - 2); gsub(/\047/, "", till) }
            more = line ~ /[|\\]$/
        }
        END { print n + 0 }' "$1"
}
# The options a page describes, one a line: long forms, then short ones.
described()
{
    awk '/^\.It .*Fl / { for (i = 2; i < NF; i++) if ($i == "Fl") { o = $(i + 1); sub(/^\\?-/, "", o); print o } }' "$1" | sort -u
}
pages=$*
[ -n "$pages" ] || pages=$(cd "$ROOT/man" && echo ./*.[157])
for page in $pages; do
    page=${page##*/}
    path=$ROOT/man/$page
    name=${page%.*}
    n=$(transcript "$path")
    if [ "$n" -gt 0 ]; then
        mkdir scratch
        case $name in lm-exec | lm-passk | lm-task | lm-gen) alone box ;; esac
        (cd scratch && exec sh ../script) </dev/null >have 2>&1 9>&-
        if cmp -s want have; then t_ok "$page: its $n examples print what they show"
        else
            : >"$err"
            t_not "$page: its $n examples print what they show" 'see below'
            diff -a want have | t_show diff
        fi
        exec 9>&-
        chmod -R u+rwX scratch && rm -rf scratch
    fi
    case $page in *.1) ;; *) continue ;; esac
    if [ ! -x "$BIN/$name" ]; then t_ok "$page # SKIP $name is not built"; continue; fi
    "$name" --help=tsv >tsv 2>"$err" || { t_not "$page: --help=tsv of $name" "status $?"; continue; }
    purpose=$(head -n 1 tsv | cut -f 2)
    said=$(sed -n 's/^\.Nd //p' "$path")
    if [ "$purpose" = "$said" ]; then t_ok "$page: its purpose is that of --help"
    else t_not "$page: its purpose is that of --help" "'$said' is not '$purpose'"; fi
    described "$path" >described.txt
    : >wrong
    sed 1d tsv >options
    while IFS= read -r line; do                             # read with IFS=TAB would join empty columns
        short=$(printf '%s' "$line" | cut -f 1) long=$(printf '%s' "$line" | cut -f 2)
        short=${short#-} long=${long#--}
        case $common in *" $long "*) continue ;; esac
        for o in $short $long; do grep -qxe "$o" described.txt || echo "the page lacks $o" >>wrong; done
    done <options
    while read -r o; do
        awk -F'\t' -v o="$o" '{ s = $1; l = $2; sub(/^-/, "", s); sub(/^--/, "", l) } s == o || l == o { f = 1 }
            END { exit !f }' options || echo "the tool lacks $o" >>wrong
    done <described.txt
    : >"$err"
    if [ ! -s wrong ]; then t_ok "$page: its options are those of the tool"
    else t_not "$page: its options are those of the tool" "$(cat wrong)"; fi
    : >wrong
    case $name in lm) sections='SYNOPSIS DESCRIPTION EXAMPLES' ;;
    *) sections='SYNOPSIS DESCRIPTION RECORD.TYPES ORDERING EXIT.STATUS EXAMPLES SEE.ALSO' ;; esac
    for s in $sections; do grep -q "^\.Sh $s" "$path" || echo "no $s" >>wrong; done
    grep -q '^\.Xr lm-tools 7' "$path" || echo 'no reference to lm-tools(7)' >>wrong
    grep -Eq '^\.\\" stage: (stream|data|vocabulary|training|generation|evaluation)$' "$path" ||
        echo 'no line  .\" stage: stream|data|vocabulary|training|generation|evaluation' >>wrong
    if [ ! -s wrong ]; then t_ok "$page: its sections and its stage are there"
    else t_not "$page: its sections and its stage are there" "$(cat wrong)"; fi
done
done_testing
