#!/bin/sh
# The first tool of a pipe of four is killed at many moments: the last status is never 0 over part of the
# data, and -o leaves either nothing or the whole.
. "${0%/*}/t.sh"
lm-import -o in.lm "$ROOT/lib" "$ROOT/bin"
LM_PROV=1
lm-cat in.lm | lm-cut --set a=1 | lm-select -e 'a==1' | lm-cat -o want.lm
rounds=${LM_KILLS:-50}

# killed OUT NAP: the pipe, its first tool fed slowly so that it lives a while, and killed after NAP seconds
killed()
{
    rm -f first
    { (exec sh -c 'echo $$ >first; exec lm-cat') <fifo | lm-cut --set a=1 | lm-select -e 'a==1' |
        lm-cat -o "$1"; echo $? >status; } 2>/dev/null &
    pipe=$!
    { head -c 200000 in.lm; sleep 0.02; tail -c +200001 in.lm | head -c 300000; sleep 0.02; tail -c +500001 in.lm; } >fifo 2>/dev/null &
    sleep "$2"
    [ -s first ] && kill -9 "$(cat first)" 2>/dev/null
    wait $pipe
    wait
}
mkfifo fifo
bad=0 cut=0 whole=0
i=0
while [ $i -lt "$rounds" ]; do
    i=$((i + 1))
    rm -f out.lm
    killed out.lm "$(awk -v i=$i 'BEGIN { srand(i); printf "%.3f", rand() * 0.09 }')"
    status=$(cat status)
    set -- out.lm*
    if [ "$status" = 0 ]; then
        whole=$((whole + 1))
        cmp -s out.lm want.lm || { bad=$((bad + 1)); note "round $i: status 0, but not the whole"; }
    else
        cut=$((cut + 1))
        [ ! -e "$1" ] || { bad=$((bad + 1)); note "round $i: status $status, but $1 is there"; }
    fi
done
note "$cut of $rounds runs were cut, $whole came to their end"
if [ $bad = 0 ]; then t_ok 'a killed first tool never gives status 0 over part of the data, nor a file'
else t_not 'a killed first tool never gives status 0 over part of the data, nor a file' "$bad times"; fi
if [ $cut -gt 0 ]; then t_ok 'some of the runs were cut'; else t_not 'some of the runs were cut' 'none'; fi

echo old >out.lm
run 'an old file stays when the input is cut' 3 'head -c 300000 in.lm | lm-cat | lm-cut --set a=1 | lm-cat -o out.lm; s=$?; [ $s = 4 ] && exit 3; exit $s'
is 'and holds what it held' 'cat out.lm; ls out.lm*' 'old
out.lm'
done_testing
