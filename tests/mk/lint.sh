#!/bin/sh
# lint.sh: reads the whole tree with every checker at hand; silent when all is well.
# A checker that is missing is skipped with a notice; clang-format and cppcheck come with `make deps-dev`.
set -u
bad=0
have() { command -v "$1" >/dev/null || { echo "notice: lint without $1"; return 1; }; }
# tell TITLE: what came on stdin is a finding
tell()
{
    found=$(cat)
    [ -z "$found" ] && return
    printf '%s:\n%s\n' "$1" "$found"
    bad=1
}
export LC_ALL=C

if have mandoc; then
    # pages of other packages may not be installed: only those of our own must be found
    tell 'manual pages' <<T
$(cd build/man && MANPATH=$PWD mandoc -T lint -W style man?/* 2>&1 | awk '!/referenced manual not found/ || / Xr lm/')
T
fi
if have shellcheck; then
    scripts=$(git ls-files -c -o --exclude-standard 2>/dev/null | grep -E '\.(sh|t)$|^\.ci/run$' | grep -v ^tests/box || find tests examples -name '*.sh' -o -name '*.t')
    tell 'shell scripts' <<T
$(for f in $scripts; do
        [ -f "$f" ] || continue
        case $(head -n 1 "$f") in '#!'*) shellcheck -f gcc "$f" ;; *) shellcheck -f gcc -s sh "$f" ;; esac 2>&1
    done)
T
fi
sources=$(find bin lib kernels tests/*.c tests/unit tests/fuzz tests/fault -name '*.c' | sort)
if have clang-format; then
    tell 'layout (make format mends it)' <<T
$(printf '%s\n' "$sources" | xargs clang-format -n --Werror 2>&1 | grep 'error:')
T
fi
if have cppcheck; then
    tell cppcheck <<T
$(printf '%s\n' "$sources" | grep -v ^tests | xargs cppcheck -q -j"$(nproc)" --std=c11 -Ilib -I. --inline-suppr \
    --enable=warning,portability --suppressions-list=tests/mk/cppcheck.txt \
    --error-exitcode=0 2>&1)
T
fi
tell layers <<T
$(sh tests/layers.t | grep -v '^ok\|^1\.\.')
T
tell 'unfinished work' <<T
$(grep -rnE '\b(TODO|FIXME|XXX|HACK)\b' bin lib kernels man)
T
exit $bad
