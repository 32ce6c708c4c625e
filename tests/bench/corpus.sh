# corpus.sh: sourced by benches: py.lm in $t = the Python library Debian installs, what is UTF-8 of it; $bytes of text.
# shellcheck shell=sh
t=$(mktemp -d)
trap 'rm -rf "$t"' EXIT
now() { date +%s.%N; }
# best N CMD: the least wall seconds of N runs
best()
{
    b_n=$1 b_least=''
    while [ "$b_n" -gt 0 ]; do
        b_a=$(now); eval "$2" || exit 1; b_z=$(now)
        b_least=$(awk "BEGIN { s = $b_z - $b_a; l = \"$b_least\"; print l == \"\" || s < l ? s : l }")
        b_n=$((b_n - 1))
    done
    echo "$b_least"
}
rate() { awk "BEGIN { printf \"%.1f\", $1 / 1e6 / $2 }"; }   # BYTES SECONDS -> MB/s
row() { r_row=$1; shift; for r_f; do r_row="$r_row	$r_f"; done; printf '%s\n' "$r_row"; } # of tests/mk/bench.sh
# peer MODULE: can the python of LM_PEERS import it?
peer() { [ -x "${LM_PEERS:-}" ] && "$LM_PEERS" -c "import $1" 2>/dev/null; }
lib=$(/usr/bin/python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))' 2>/dev/null)
[ -f "$lib/os.py" ] || { echo '# no Python library: left out'; exit 0; }
lm-import --max-bytes 100M "$lib" | lm-select -e 'ext == "py" & (enc == "utf8" | enc == "ascii")' >"$t/py.lm" || exit 1
bytes=$(tail -n 1 "$t/py.lm" | sed 's/.* b=\([0-9]*\).*/\1/')
