#!/bin/sh
# deps.sh [dev]: installs the Debian packages (12 and 13) that lm-tools needs; silent when all are there.
# dev: also what `make fuzz`, `make format` and the whole of `make lint` use, and text for `make bench`.
set -eu
build='gcc libc6-dev make zlib1g-dev libarchive-dev libdeflate-dev libxxhash-dev libjansson-dev nettle-dev libpcre2-dev libseccomp-dev'
check='perl python3 mandoc shellcheck zstd xz-utils gzip procps git'
demo='python3 libpython3-stdlib'
dev='clang clang-format cppcheck gawk busybox valgrind gdb'
# what tests/peer/corpus.py takes its text from
dev="$dev golang-src unicode-data dict-gcide jargon-text manpages-zh manpages-ja libreoffice-help-zh-cn
 debian-reference-zh-cn debian-reference-ja libjs-mathjax libjs-three"

want="$build $check $demo"
[ "${1-}" != dev ] || want="$want $dev"
command -v dpkg-query >/dev/null || {
    echo "make deps: no dpkg here; the packages under their Debian names: $want" >&2
    exit 1
}
lack=
for p in $want; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || lack="$lack $p"
done
[ -n "$lack" ] || exit 0
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
echo "make deps: installing$lack"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get -qq update
# shellcheck disable=SC2086 # one word a package
$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install $lack >/dev/null
