#!/bin/sh
# fault.sh [TOOL ..]: each tool under tests/fault/shim.c: reads and writes that are short or interrupted change
# nothing; a device that fills, an input that fails, an allocation that fails end in the right bytes or in
# exit 5 with a message, never in a signal or a false %end. The tools' operands come from tests/contract, and so do
# further ways to run them: a function faults there calls try.
. "${0%/*}/../t.sh"
script=$ROOT/tests/fault/fault.sh
shim=$ROOT/build/$CONF/shim.so
[ -e "$shim" ] || { echo '1..0 # SKIP no shim.so: run make check-fault'; exit 0; }
. "$ROOT/tests/contract/tool.sh"
case $name in lm) t_ok "$name: a front that runs other tools # SKIP"; done_testing ;; esac
case " $skip " in *' fault '*) t_ok "$name: not under the shim # SKIP"; done_testing ;; esac

one=''
! has jobs || one='-j 1'
case $reads in stream) from=in.lm ;; *) from='' ;; esac
made=''
[ "$writes" != files ] || made='-o made'
also='' # what a command writes beside that: it is whole, or there is none
sums()
{
    # shellcheck disable=SC2086 # names
    for f in made $also; do
        if [ -d "$f" ]; then (cd "$f" && find . -type f -path "$equal" -exec cksum {} + | sort)
        elif [ -e "$f" ]; then cksum "$f"; fi
    done
}
# with VAR=VALUE ..: the command under the shim
with() { printf 'rm -rf made %s; env LD_PRELOAD=%s FAULT_TELL=%s/told %s %s' "$also" "$shim" "$T" "$1" "$bare"; }

# told NAME CMD [MUST]: exit 5 with a message and no %end if a fault came, which it MUST, else as ever
told()
{
    rm -f told
    t_do "$2"; got=$?
    part=''
    # shellcheck disable=SC2086 # names
    for f in $also; do
        [ ! -e "$f" ] || cksum "$f" | grep -qxFf - want.sums || part=$f
    done
    if [ ! -e told ] && [ $got = $status ] && [ -z "${3-}" ]; then t_ok "$label: $1 (no fault met)"
    elif [ $got != 5 ]; then t_not "$label: $1" "status $got, not 5"
    elif [ "$(grep -c "^$name: " "$err")" != 1 ]; then t_not "$label: $1" 'not one line of message'
    elif tail -n 1 "$out" | grep -aq '^%end ' && [ -z "$(tail -c 1 "$out")" ]; then t_not "$label: $1" 'a false %end'
    elif [ -e "made${stays:+/$stays}" ]; then t_not "$label: $1" 'a file is left'
    elif [ -n "$part" ]; then t_not "$label: $1" "$part is left in part"
    else t_ok "$label: $1"; fi
}
# memory VAR OPTIONS FILES NAME: the n-th allocation fails, for all n until none does
memory()
{
    t_why=$(eval "timeout 300 $probe fault $shim $1 100000 $(C "$one $2" "$3" | sed 's/^timeout [0-9]* //')" 2>&1)
    t_got=$?
    # shellcheck disable=SC2086 # names
    rm -rf made $also
    if [ $t_got = 0 ]; then t_ok "$label: $4: $t_why"; else t_not "$label: $4" "$t_why"; fi
}

# try NAME OPTIONS FILES: the tool so under each fault
try()
{
    label=$name${1:+, $1}
    base=$(C "$made $2" "$3")
    bare=${base#timeout "$seconds" }
    # shellcheck disable=SC2086 # names
    rm -rf made $also
    t_do "$base"; status=$?
    cp "$out" want
    sums >want.sums
    whole=$(wc -c <want)
    if [ "$writes" = files ]; then
        # shellcheck disable=SC2086 # names
        whole=$(find made $also -type f -exec cat {} + 2>/dev/null | wc -c)
    fi
    for how in FAULT_SHORT=1 FAULT_EINTR=2 'FAULT_SHORT=1 FAULT_EINTR=3'; do
        t_do "$(with "$how")"; got=$?
        sums >got.sums
        if [ $got != $status ]; then t_not "$label: $how changes nothing" "status $got, not $status"
        elif ! cmp -s want "$out" || ! cmp -s want.sums got.sums; then t_not "$label: $how changes nothing" 'other bytes'
        else t_ok "$label: $how changes nothing"; fi
    done
    for n in 0 1 7 $((whole / 2)) $((whole - 1)); do
        [ "$n" -lt "$whole" ] || continue
        [ -z "$stays" ] || [ "$n" -le $((whole / 2)) ] || continue # what is whole by then stays
        told "the device fills after $n bytes" "$(with FAULT_ENOSPC="$n")" must
    done
    if has output && [ "$writes" != files ]; then
        for n in 0 $((whole / 2)); do
            [ "$n" -lt "$whole" ] || continue
            told "the device fills after $n bytes of -o" "$(with FAULT_ENOSPC="$n") -o made" must
        done
    fi
    if [ "$reads" = stream ]; then
        for n in 1 2; do told "read $n of the input fails" "$(with FAULT_EIO=$n)"; done
    fi
    memory FAULT_MALLOC1 "$made $2" "$3" 'each allocation in turn fails'
    memory FAULT_MALLOC "$made $2" "$3" 'from some allocation on all fail'
}

try '' '' "$from"
faults
done_testing
