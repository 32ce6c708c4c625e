# items.sh: the items of the contract, in the order of their numbers; sourced by contract.t.
# shellcheck shell=sh

# --- every tool -------------------------------------------------------------------------------------------
help_is_whole()
{
    "$name" --help </dev/null >help || { echo "status $?"; return 1; }
    [ ! -s "$err" ] || { echo 'stderr is not empty'; return 1; }
    awk 'length($0) > 80 { print "wide: " $0; bad = 1 } END { exit bad || !NR }' help || return 1
    awk -F'\t' '{print $2}' options | while read -r long; do
        [ -z "$long" ] || grep -qe "--${long#--}" help || { echo "no --${long#--}"; exit 1; }
    done
}
yields '(1) --help shows every option in 80 columns' help_is_whole

version_is_whole()
{
    "$name" --version </dev/null >version || { echo "status $?"; return 1; }
    head -n 1 version | grep -q "^$name (lm-tools) $(cat "$ROOT/VERSION")" || { echo 'no name and version'; return 1; }
    grep -qi 'gcc\|clang\|cc' version || { echo 'no compiler'; return 1; }
    grep -qi 'zlib\|archive' version || { echo 'no libraries'; return 1; }
}
yields '(2) --version tells version, compiler, libraries' version_is_whole

# usage NAME CMD: exit 2, nothing on stdout, one line and the usage on stderr
usage()
{
    t_do "$2"; t_got=$?
    if [ $t_got != 2 ]; then t_not "$name: $1" "status $t_got, not 2: $2"
    elif [ -s "$out" ]; then t_not "$name: $1" "stdout is not empty: $2"
    elif ! head -n 1 "$err" | grep -q "^$name: " || ! sed 1d "$err" | grep -qi '^usage: '; then
        t_not "$name: $1" "not a line and the usage: $2"
    else t_ok "$name: $1"; fi
}
usage '(3) an unknown option is a usage error' "$(C --no-such-option '')"
if has jobs; then
    for n in 0 x 3x 99999999999999999999 -1 ''; do
        usage "(3) -j '$n' is a usage error" "$(C "-j '$n'" '')"
    done
fi
awk -F'\t' '$3 != "" && $2 != "" {print $2 "\t" $3}' options >valued
while IFS=$tab read -r long arg; do
    long=${long#--}
    case $long in help) continue ;; esac
    usage "(3) --$long without its argument is a usage error" "timeout $seconds $name --$long"
    case $arg in
    *'|'*) usage "(3) --$long takes one of $arg alone" "$(C "--$long=no-such-word" '')" ;;
    N) usage "(3) --$long takes a number alone" "$(C "--$long=7junk" '')" ;;
    esac
done <valued

case $reads in stream) from='<in.lm' ;; *) from='' ;; esac
base=$(C '' "$from")
case $writes in
files) base=$(C '-o made' "$from") ;;
esac
t_do "$base"; base_status=$?
cp "$out" want
case $base_status in
0 | 1) t_ok "$name: (6) it runs" ;;
*) t_not "$name: (6) it runs" "status $base_status: $base" ;;
esac
if [ ! -s "$err" ]; then t_ok "$name: (6) success is quiet"; else t_not "$name: (6) success is quiet" "$base"; fi

# tree DIR: names and sums of what a command left
tree() { (cd "$1" && find . -type f -path "$equal" | sort | xargs cksum); }
elsewhere()
{
    mkdir -p there/deep
    cp -R "$T"/* there/deep/ 2>/dev/null
    rm -rf there/deep/there there/deep/made
    (cd there/deep && LC_ALL=C.UTF-8 LANG=de_DE.UTF-8 TZ=Asia/Tokyo HOME=/ HOSTNAME=h COLUMNS=40 eval "$base" >out2)
    [ $? = $base_status ] || { echo 'another status'; return 1; }
    cmp there/deep/out2 want || return 1
    case $writes in files) [ "$(cd there/deep && sums made)" = "$(sums made)" ] || { echo 'other files'; return 1; } ;; esac
    rm -rf there
}
sums() { if [ -d "$1" ]; then tree "$1"; else cksum <"$1"; fi; }
held 7 && yields '(7) another folder, locale, time zone, home: the same bytes' elsewhere

# closed FD: started without it, no data lands in a wrong file
closed()
{
    cp in.lm keep
    for fd in '<&-' '>&-' '2>&-' '<&- >&-' '<&- >&- 2>&-'; do
        case $reads in stream) files='in.lm' ;; *) files='' ;; esac
        (eval "$(C "$1" "$files") $fd") >/dev/null 2>&1
        [ $? -le 5 ] || { echo "with $fd it died"; return 1; }
        cmp in.lm keep || return 1
    done
}
case $writes in files) out_opt='-o made' ;; *) out_opt='' ;; esac
yields '(8) descriptors closed at start: no data lands in a wrong file' "closed $out_opt"

# --- a stream in ------------------------------------------------------------------------------------------
part() { head -c "$1" in.lm; }
if [ "$reads" = stream ]; then
    run=$(C "$out_opt" '')
    size=$(wc -c <in.lm)
    whole=$((size - $(tail -n 1 in.lm | wc -c)))                     # what stands before %end
    head1=$(grep -an '^@' in.lm | head -n 1 | cut -d: -f1)            # line of the first record's header
    first=$(head -n "$((head1 - 1))" in.lm | wc -c)                  # its byte
    held 9 && {
        refuses '(9) no input at all is truncated' truncated "$run </dev/null"
        refuses '(9) input cut in the %lm line is truncated' truncated "part 3 | $run"
        refuses '(9) input cut after the %lm line is truncated' truncated "part $first | $run"
        refuses '(9) input cut in a header is truncated' truncated "part $((first + 4)) | $run"
        refuses '(9) input cut in the last body is truncated' truncated "part $((whole - 1)) | $run"
        refuses '(9) input without %end is truncated' truncated "part $whole | $run"
        refuses '(9) input cut in %end is truncated' truncated "part $((size - 2)) | $run"
        refuses '(9) input that lost its last LF is truncated' truncated "part $((size - 1)) | $run"
        yields '(9) a cut at any of 40 places is told' \
            "$probe cuts in.lm 0 $size $((size / 40 + 1)) $(C "$out_opt" '')"
    }
    held 10 && {
        refuses '(10) a wrong count of records is corrupt' corrupt "{ part $whole; printf '%%end n=9 b=9\n'; } | $run"
        sed '$s/ b=[0-9]*/ b=1/' in.lm >bad
        refuses '(10) a wrong count of bytes is corrupt' corrupt "$run <bad"
        sed '$s/$/ crc=00000001/' in.lm >bad
        refuses '(10) a wrong crc is corrupt' corrupt "$run <bad"
        refuses '(10) junk between records is corrupt' corrupt "{ part $whole; echo junk; tail -n 1 in.lm; } | $run"
        refuses '(10) CR in a header is corrupt' corrupt "printf '%%lm 1\r\n%%end n=0 b=0\r\n' | $run"
        refuses '(10) a record before %lm is corrupt' corrupt "printf '@doc 1\nx\n%%end n=1 b=1\n' | $run"
        refuses '(10) a body without its LF is corrupt' corrupt \
            "{ part $whole; printf '@zz 1\nxx\n%%end n=1 b=1\n'; } | $run"
        refuses '(10) a length with a leading zero is corrupt' corrupt \
            "{ part $whole; printf '@zz 01\nx\n%%end n=1 b=1\n'; } | $run"
        refuses '(10) something after the end is corrupt' corrupt "{ cat in.lm; echo more; } | $run"
    }
    refuses '(11) a later version is refused' version "printf '%%lm 2\n%%end n=0 b=0\n' | $run"
    held 12 && {
        # a header of N bytes with its LF
        long() { printf '%%lm 1\n@zz 0 k='; head -c $(($1 - 9)) /dev/zero | tr '\0' v; printf '\n\n%%end n=1 b=0\n'; }
        long 65536 >long.lm
        t_do "{ part $whole; sed 1d long.lm | head -n 2; printf '%%end n=%d b=%d\n' $(tail -n 1 in.lm |
            sed 's/%end n=\([0-9]*\) b=\([0-9]*\).*/$((\1 + 1)) \2/'); } | $run"; t_got=$?
        if [ $t_got -le 1 ]; then t_ok "$name: (12) a header of 65,536 bytes passes"
        else t_not "$name: (12) a header of 65,536 bytes passes" "status $t_got"; fi
        refuses '(12) a header of 65,537 bytes is over the limit' limit "long 65537 | $run"
    }
    held 12b && {
        stream @zz "$(head -c 5000 /dev/zero | tr '\0' b)" >big.lm
        refuses '(12) a body over LM_MAX_BODY is over the limit' limit "LM_MAX_BODY=4096 $run <big.lm"
    }
    abort='%abort code=3 tool=lm-other msg=in.lm:1:2:%20corrupt'
    held 13 && {
        { part $whole; printf '%s\n' "$abort"; } >abort.lm
        t_do "$run <abort.lm"; t_got=$?
        if [ $t_got != 4 ]; then t_not "$name: (13) an %abort upstream: exit 4" "status $t_got"
        elif [ -s "$err" ]; then t_not "$name: (13) an %abort upstream: silent" 'stderr is not empty'
        elif [ "$writes" = stream ] && [ "$(tail -n 1 "$out")" != "$abort" ]; then
            t_not "$name: (13) an %abort upstream is passed on" "$(tail -n 1 "$out" | head -c 200)"
        else t_ok "$name: (13) an %abort upstream is passed on, silently, with exit 4"; fi
    }
    held 14 && {
        cat in.lm in.lm >two.lm
        t_do "$(C "$out_opt" '<two.lm')"; two=$?
        cp "$out" want2
        [ "$writes" != files ] || sums made >want2.sums
        twice() # NAME CMD
        {
            same "$1" "$2" want2
            [ "$writes" != files ] || { sums made >got.sums; bytes "$name: $1: the same files" got.sums want2.sums; }
        }
        if [ $two -le 1 ]; then t_ok "$name: (14) two streams joined by cat are read as one"
        else t_not "$name: (14) two streams joined by cat are read as one" "status $two"; fi
        twice '(14) two files' "$(C "$out_opt" 'in.lm in.lm')"
        twice '(14) - among files is stdin' "$(C "$out_opt" 'in.lm - <in.lm')"
        gzip -nc in.lm >in.lm.gz && zstd -qc in.lm >in.lm.zst
        twice '(14) gzip and zstd files' "$(C "$out_opt" 'in.lm.gz in.lm.zst')"
        twice '(14) zstd on stdin' "zstd -qc two.lm | $run"
    }
    held 15 && same '(15) input byte by byte' "$probe drip <in.lm | $run" want
    held 16 && {
        printf '%%lm 1\n%%end n=0 b=0\n' >none.lm
        t_do "$run <none.lm"; t_got=$?
        if [ $t_got -gt 1 ]; then t_not "$name: (16) an empty stream is fine" "status $t_got"
        elif [ -s "$err" ]; then t_not "$name: (16) an empty stream is fine" 'stderr is not empty'
        elif [ "$writes$order" = streamkept ] && ! tail -n 1 "$out" | grep -aq '^%end n=0 b=0'; then
            t_not "$name: (16) an empty stream is fine" 'no empty stream comes out'
        else t_ok "$name: (16) an empty stream is fine"; fi
    }
fi

# --- a stream through -------------------------------------------------------------------------------------
strange() # records, attributes and notes no tool knows; bodies that look like the format
{
    printf '%%lm 1\n%%# a remark\n@zz 0\n\n%%zz a=b c=\n@zz 5 k=%%20%%FF k=2   \nab\000\n\377\n'
    printf '@zz-y 29 a= b=%%25\n%%end n=0 b=0\n@doc 3\n\n%%lm 1\n@b\n@zz 3 x-y=1\nabc\n%%seg n=4 b=37\n@zz 1 a=1 b=2\n\n\n%%end n=5 b=38\n'
}
if [ "$reads$writes" = streamstream ]; then
    strange >strange.lm
    if [ "$order" = kept ]; then
        held 17 && same '(17, 18) what it does not know passes raw and in place' "$(C '' '<strange.lm')" strange.lm
        held 20 && {
            stream '@zz a=1' one '@zz a=2' two '@zz a=3' three '@zz a=4' four >lag.lm
            lag()
            {
                ms=$(eval "$probe lag lag.lm $(C '' '')") || { echo "$ms"; return 1; }
                [ "$ms" -le "${LAG_MS:-100}" ] || { echo "$ms ms"; return 1; }
            }
            yields '(20) a record is out within 100 ms' lag
        }
    else
        held 17 && {
            t_do "$(C '' '<strange.lm')"; t_got=$?
            if [ $t_got -le 1 ]; then t_ok "$name: (17, 18) what it does not know is no error"
            else t_not "$name: (17, 18) what it does not know is no error" "status $t_got"; fi
        }
    fi
    if [ "$order" = sorted ]; then
        held 21 && {
            input | sed 's/path=/path=z/' >b.lm
            t_do "$(C '' 'in.lm b.lm')"; cp "$out" want2
            same '(21) input files in another order: the same bytes' "$(C '' 'b.lm in.lm')" want2
        }
    fi
fi
many() # N: the input N times over, joined
{
    yes in.lm | head -n "$1" | xargs cat
}
if [ "$reads" = stream ] && has jobs && held 19; then
    times=$((3000000 / $(wc -c <in.lm) + 1))
    [ "$quick" != quick ] || times=$((times / 10 + 1))
    many "${copies:-$times}" >many.lm
    t_do "$(C "$out_opt -j 1" '<many.lm')"; one=$?
    cp "$out" want2
    [ "$writes" != files ] || sums made >want2.sums
    for j in 2 7; do
        same "(19) -j $j gives the bytes of -j 1" "$(C "$out_opt -j $j" '<many.lm')" want2
        [ "$writes" != files ] || { sums made >got.sums; bytes "$name: (19) -j $j gives the files of -j 1" got.sums want2.sums; }
    done
fi
if [ "$reads$writes$order" = streamstreamkept ] && [ "$quick" != quick ] && held 22; then
    times=$((4000000 / $(wc -c <in.lm) + 1))
    one_job=''
    has jobs && one_job='-j 1'
    memory()
    {
        many "$times" >many.lm
        for i in 1 2 3 4 5 6 7 8 9 10; do cat many.lm; done >more.lm
        a=$(eval "$probe rss $(C "$one_job" many.lm)") || { echo "status $?"; return 1; }
        b=$(eval "$probe rss $(C "$one_job" more.lm)") || { echo "status $?"; return 1; }
        rm -f more.lm
        [ $((b * 100)) -le $((a * 110 + 204800)) ] || { echo "$a KiB, then $b KiB on ten times as much"; return 1; }
    }
    yields '(22) ten times the input takes no more memory (10 %, 2 MiB)' memory
fi

# --- any output -------------------------------------------------------------------------------------------
if [ "$writes" != files ]; then
    held 23 && {
        t_do "$base >/dev/full"; t_got=$?
        if [ $t_got != 5 ]; then t_not "$name: (23) a full device: exit 5" "status $t_got"
        elif ! grep -q "^$name: .*io: " "$err"; then t_not "$name: (23) a full device is told" "$(cat "$err")"
        else t_ok "$name: (23) a full device is told: io, exit 5"; fi
    }
    held 24 && {
        is "$name: (24) its reader gone, it dies of SIGPIPE" \
            "$probe gone $(printf '%s' "$base" | sed 's/^timeout [0-9]* //') 2>msg; cat msg" 'signal 13'
        is "$name: (24) also when SIGPIPE came ignored" \
            "$probe gone -i $(printf '%s' "$base" | sed 's/^timeout [0-9]* //') 2>msg; cat msg" 'signal 13'
    }
    if has output && held 25; then
        t_do "$(C '-o made' "$from")"; t_got=$?
        if [ $t_got != $base_status ]; then t_not "$name: (25) -o" "status $t_got"
        elif [ -s "$out" ] || [ -s "$err" ]; then t_not "$name: (25) -o prints nothing" "$(head -c 200 "$out")"
        elif [ "$writes" = stream ] && ! { sed '$d' want | cmp -s - no-end || sed '$d' made >no-end && sed '$d' want | cmp -s - no-end; }; then
            t_not "$name: (25) -o gives the bytes of stdout" "$(sed '$d' want | cmp - no-end 2>&1)"
        elif [ "$writes" = text ] && ! cmp -s want made; then t_not "$name: (25) -o gives the bytes of stdout" "$(cmp want made 2>&1)"
        else t_ok "$name: (25) -o gives the bytes of stdout"; fi
    fi
fi
failing()
{
    rm -rf made bad
    case $reads in
    stream) part "$whole" >bad; fail="$(C '-o made' bad)" ;;
    *) return 0 ;;
    esac
    (eval "$fail") >/dev/null 2>&1 && { echo 'it did not fail'; return 1; }
    [ ! -e made ] || { echo 'it left a file'; return 1; }
    set -- made.*
    [ ! -e "$1" ] || { echo "it left $1"; return 1; }
    echo old >made
    (eval "$fail") >/dev/null 2>&1
    [ "$(cat made)" = old ] || { echo 'the old file is gone'; return 1; }
    set -- made.*
    [ ! -e "$1" ] || { echo "it left $1"; return 1; }
}
if [ "$reads" = stream ] && has output && held 25; then
    yields '(25) -o on failure: no file, nothing beside it, the old one whole' failing
fi
