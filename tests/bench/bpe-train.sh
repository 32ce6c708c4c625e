#!/bin/sh
# bpe-train.sh: learning a vocabulary of code, start and reading included, against trainers that have the documents in
# memory; the merges must be Hugging Face's. Then 1 GB of code, four fifths of it with other letters for letters, so that
# words go on being new, within 512 MB, which must give what it gives without the bound. Wall seconds of whole
# processes, ours and theirs by turns, the median of BENCH_TURNS (3); the most memory of them. No limit is known: most
# of the time is counting, whose bound is that of encoding, and the merges are one serial chain.
set -u
. "${0%/*}/corpus.sh"
probe=$ROOT/build/${CONF:-release}/tests/probe
mbs() { "$probe" rss "$@" | awk '{ printf "%.0f", $1 / 1024 }'; }
python3 "$ROOT/tests/peer/corpus.py" code 24 >"$t/code.lm" || { echo '# no code: make deps-dev'; exit 0; }
size=30784 # 256 bytes, 30,016 merges, 512 reserved
cores=$(nproc)

turns=${BENCH_TURNS:-3}
median() { sort -g | awk '{ v[NR] = $1 } END { if (NR) printf "%.2f", (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }
# duel CMD CMD2: our command and the peer's by turns; CMD2 prints its seconds and peak MB, or nothing. Sets $ours,
# $mem, $theirs, $peak.
duel()
{
    : >"$t/ours" && : >"$t/theirs"
    for d_i in $(seq "$turns"); do
        best 1 "$1" >>"$t/ours" || exit 1
        if [ -n "$2" ]; then eval "$2" >>"$t/theirs" || exit 1; fi
    done
    ours=$(median <"$t/ours") mem=$(eval "mbs $1")
    theirs=$(median <"$t/theirs") peak=$(sort -g -k2 "$t/theirs" | awk 'END { print $2 }')
}
hf()
{
    TOKENIZERS_PARALLELISM=true "$LM_PEERS" "$ROOT/tests/peer/bpe_train.py" "$t/code.lm" qwen2 $size whole \
        "$t/v/tokenizer.json" >"$t/out" || { sed 's/^/# /' "$t/out"; return 1; }
    awk '/^seconds/ { s = $2 } /^peak/ { print s, $2 }' "$t/out"
}
with=- cmd=
if peer tokenizers; then with=tokenizers cmd=hf; fi
duel "lm-bpe-train -o $t/v --vocab-size $size $t/code.lm" "$cmd"
row "train 24 MB, 30k merges, $cores threads (goal 12x)" s "$ours" "$with" "$theirs" - "$mem" "$peak"

# Two others know one pattern, or break ties their own way: timed alone, with GPT-2's pattern for ours.
cat >"$t/peer.py" <<'E'
import sys, time
from lmrec import documents
docs, which, merges = sys.argv[1:]
texts = list(documents(docs))
if which == "gigatoken":
    from gigatoken.gigatoken_rs import train_bpe
    joined = b"\0".join(texts)
    train = lambda: train_bpe(joined, 256 + int(merges), [], separator=b"\0")
else:
    import rustbpe
    train = lambda: rustbpe.Tokenizer().train_from_iterator((t.decode() for t in texts), 256 + int(merges))
begin = time.perf_counter()
train()
took = time.perf_counter() - begin
with open("/proc/self/status") as f:
    print("%.2f %.0f" % (took, next(int(ln.split()[1]) for ln in f if ln.startswith("VmHWM:")) / 1024))
E
other() { PYTHONPATH=$ROOT/tests/peer "$LM_PEERS" "$t/peer.py" "$t/code.lm" "$p" 30016 2>"$t/err" | tail -n 1; }
for p in gigatoken rustbpe; do
    with=- cmd=
    if peer $p && [ -n "$(other)" ]; then with=$p cmd=other; fi
    duel "lm-bpe-train -o $t/g --pretok gpt2 --vocab-size $size $t/code.lm" "$cmd"
    row "train 24 MB, 30k merges, pattern gpt2" s "$ours" "$with" "$theirs" - "$mem" "$peak"
done

python3 "$ROOT/tests/peer/corpus.py" code 1024 >"$t/more.lm" || exit 1
sync # or the kernel writes it out meanwhile, on a core of its own
gb=$(tail -n 1 "$t/more.lm" | sed 's/.* b=\([0-9]*\).*/\1/' | awk '{ printf "%.1f", $1 / 1e9 }')
train() { lm-bpe-train -m "$1" -o "$t/$1" "$t/more.lm"; }
peak() { mbs lm-bpe-train -m "$1" -o "$t/$1" "$t/more.lm"; }
one() { best 1 "train $1" | median; }
tight=$(peak 512M)
row "train $gb GB of code, -m 512M, peak (goal <1000)" MB "$tight"
row "train $gb GB of code, -m 512M, over no bound" s "$(one 512M)" 'ours, -m 1T' "$(one 1T)" - "$tight" "$(peak 1T)"
train 64M || exit 1
for m in 512M 64M; do
    cmp -s "$t/$m/tokenizer.json" "$t/1T/tokenizer.json" || { echo "# -m $m gives another vocabulary"; exit 1; }
done
