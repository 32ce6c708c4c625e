#!/bin/sh
# dedup.sh: lm-dedup on source code, one thread, whole runs; MinHash against datasketch with as many permutations
# and the same words and 5-grams, signatures alone.
set -u
. "${0%/*}/code.inc"
e=$(best "lm-dedup -j 1 --near off $t/code.lm")
a=$(best "lm-dedup -j 1 $t/code.lm")
peer=- theirs=''
if [ -x "${LM_PEERS:-}" ] && "$LM_PEERS" -c 'import datasketch' 2>/dev/null; then
    lm-head -n 150 "$t/code.lm" >"$t/few.lm"
    cat >"$t/peer.py" <<'P'
import re, sys, time
from datasketch import MinHash
docs, f = [], open(sys.argv[1], 'rb')
for h in iter(f.readline, b''):
    if h[:1] == b'@':
        docs.append(f.read(int(h.split()[1]) + 1)[:-1])
word, best = re.compile(rb'[a-z0-9_\x80-\xff]+'), 0
for rep in range(3):
    t = time.time()
    for d in docs:
        w = word.findall(d.lower())
        m = MinHash(num_perm=256)
        m.update_batch({b' '.join(w[i:i + 5]) for i in range(max(1, len(w) - 4))})
    best = max(best, sum(map(len, docs)) / 1e6 / (time.time() - t))
print('%.2f' % best)
P
    theirs=$("$LM_PEERS" "$t/peer.py" "$t/few.lm") && peer=datasketch
fi
printf 'lm-dedup: exact and near, 256 permutations\tMB/s\t%s\t%s\t%s\n' "$(rate "$mb" "$a")" "$peer" "$theirs"
printf 'lm-dedup: exact alone\tMB/s\t%s\t-\t\n' "$(rate "$mb" "$e")"
