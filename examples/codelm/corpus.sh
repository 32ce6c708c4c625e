#!/bin/sh
# corpus.sh OUT: imports the sources of the Python standard library as the Debian packages installed them.
# The packages' own lists name the files, so what else lies in those folders does not matter.
set -eu
out=$1
case $out in /*) ;; *) out=$PWD/$out ;; esac
list=$out.list
trap 'rm -f "$list"' EXIT
if dpkg-query -L libpython3-stdlib >/dev/null 2>&1; then
    lib=$(dpkg-query -W -f='${Depends}' libpython3-stdlib | tr ',' '\n' | sed -n 's/^ *\(libpython3[0-9.]*-stdlib\).*/\1/p')
    dpkg-query -L "$lib" "${lib%-stdlib}-minimal" >"$list.all"
    dir=$(sed -n 's|/os\.py$||p' "$list.all" | head -n 1)
    sed -n "s|^$dir/\(.*\.py\)\$|\1|p" "$list.all" | LC_ALL=C sort -u >"$list"
    rm -f "$list.all"
else # not Debian: what python3 on the PATH stands on
    dir=$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
    (cd "$dir" && find . -name '*.py' ! -path '*/site-packages/*' ! -path '*/dist-packages/*') |
        sed 's|^\./||' | LC_ALL=C sort >"$list"
fi
[ -s "$list" ] || { echo 'corpus: no Python standard library: make deps installs one' >&2; exit 1; }
cd "$dir"
# Links lead to files that are named elsewhere.
while read -r f; do [ -L "$f" ] || [ ! -f "$f" ] || printf '%s\n' "$f"; done <"$list" |
    xargs -x -n 100000 lm-import --from text --src "${dir##*/}" -o "$out"
