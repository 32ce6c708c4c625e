#!/bin/sh
# exec.sh IN OUT: judges generations in the strongest sandbox this machine has: level 3, or, where a chroot or a
# container denies namespaces, level 2. Where there is neither, nothing is run and the report says so.
set -u
for level in 3 2; do
    lm-exec --level $level "$1" -o "$2" 2>"$2.err"
    status=$?
    cat "$2.err" >&2
    [ $status = 5 ] && grep -q ': facility: ' "$2.err" || exit $status
done
echo 'exec: no sandbox here: the generated programs are not run' >&2
printf '%%lm 1\n%%end n=0 b=0\n' >"$2"
