#!/bin/sh
# stage.sh NAME CMD: runs CMD, says so, and keeps its wall time in $O/times/NAME: start and end, in seconds.
# The time of a run that was cut off stays in NAME.part and is added to that of the run which ends it.
set -u
name=$1
part=$O/times/$name.part
mkdir -p "$O/times"
trap : INT TERM
begin=$(date +%s.%N)
sh -c "$2"
status=$?
end=$(date +%s.%N)
printf '%s %s\n' "$begin" "$end" >>"$part"
if [ $status = 0 ]; then
    mv "$part" "$O/times/$name"
    awk -v name="$name" '{ s += $2 - $1 } END { printf "  %-10s %6.1f s\n", name, s }' "$O/times/$name"
fi
exit $status
