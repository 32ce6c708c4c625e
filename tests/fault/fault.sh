#!/bin/sh
# fault.sh [TOOL ..]: each tool under tests/fault/shim.c: reads and writes that are short or interrupted change
# nothing; a device that fills, an input that fails, an allocation that fails end in the right bytes or in
# exit 5 with a message, never in a signal or a false %end. The tools' operands come from tests/contract.
. "${0%/*}/../t.sh"
script=$ROOT/tests/fault/fault.sh
shim=$ROOT/build/$CONF/shim.so
[ -e "$shim" ] || { echo '1..0 # SKIP no shim.so: run make check-fault'; exit 0; }
. "$ROOT/tests/contract/tool.sh"
case $name in lm) t_ok "$name: a front that runs other tools # SKIP"; done_testing ;; esac
case " $skip " in *' fault '*) t_ok "$name: not under the shim # SKIP"; done_testing ;; esac

case $reads in stream) from=in.lm ;; *) from='' ;; esac
case $writes in
files) base=$(C '-o made' "$from") ;;
*) base=$(C '' "$from") ;;
esac
bare=${base#timeout "$seconds" }
one=''
! has jobs || one='-j 1'
sums()
{
    if [ -d made ]; then (cd made && find . -type f -path "$equal" -exec cksum {} + | sort); elif [ -e made ]; then cksum made; fi
}

t_do "$base"; status=$?
cp "$out" want
sums >want.sums
whole=$(wc -c <want)
# with VAR=VALUE ..: the command under the shim
with() { printf 'rm -rf made; env LD_PRELOAD=%s FAULT_TELL=%s/told %s %s' "$shim" "$T" "$1" "$bare"; }
for how in FAULT_SHORT=1 FAULT_EINTR=2 'FAULT_SHORT=1 FAULT_EINTR=3'; do
    t_do "$(with "$how")"; got=$?
    sums >got.sums
    if [ $got != $status ]; then t_not "$name: $how changes nothing" "status $got, not $status"
    elif ! cmp -s want "$out" || ! cmp -s want.sums got.sums; then t_not "$name: $how changes nothing" 'other bytes'
    else t_ok "$name: $how changes nothing"; fi
done

# told NAME CMD: exit 5 with a message and no %end if a fault came, else as ever
told()
{
    rm -f told
    t_do "$2"; got=$?
    if [ ! -e told ] && [ $got = $status ]; then t_ok "$name: $1 (no fault met)"
    elif [ $got != 5 ]; then t_not "$name: $1" "status $got, not 5"
    elif [ "$(grep -c "^$name: " "$err")" != 1 ]; then t_not "$name: $1" 'not one line of message'
    elif tail -n 1 "$out" | grep -aq '^%end ' && [ -z "$(tail -c 1 "$out")" ]; then t_not "$name: $1" 'a false %end'
    elif [ -e "made${stays:+/$stays}" ]; then t_not "$name: $1" 'a file is left'
    else t_ok "$name: $1"; fi
}
for n in 0 1 7 $((whole / 2)) $((whole - 1)); do
    [ "$n" -lt "$whole" ] || [ "$writes" = files ] || continue
    told "the device fills after $n bytes" "$(with FAULT_ENOSPC="$n")"
done
if has output && [ "$writes" != files ]; then
    for n in 0 $((whole / 2)); do
        told "the device fills after $n bytes of -o" "$(with FAULT_ENOSPC="$n") -o made"
    done
fi
if [ "$reads" = stream ]; then
    for n in 1 2; do told "read $n of the input fails" "$(with FAULT_EIO=$n)"; done
fi
# VAR: the n-th allocation fails, for all n until none does
memory()
{
    t_why=$(eval "timeout 300 $probe fault $shim $1 100000 $(C "$one $2" "$from" | sed 's/^timeout [0-9]* //')" 2>&1)
    t_got=$?
    rm -rf made
    if [ $t_got = 0 ]; then t_ok "$name: $3: $t_why"; else t_not "$name: $3" "$t_why"; fi
}
made=''
[ "$writes" != files ] || made='-o made'
memory FAULT_MALLOC1 "$made" 'each allocation in turn fails'
memory FAULT_MALLOC "$made" 'from some allocation on all fail'
done_testing
