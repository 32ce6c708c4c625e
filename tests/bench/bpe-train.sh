#!/bin/sh
# bpe-train.sh: learning a vocabulary of code, start and reading included, against trainers that have the documents in
# memory; the merges must be Hugging Face's. Then 1 GB of code within 512 MB, which must give what it gives without the
# bound. Wall seconds and peak memory of whole processes, the least of three runs, of one run the peers. No limit is
# known: most of the time is counting, whose bound is that of encoding, and the merges are one serial chain.
set -u
. "${0%/*}/corpus.sh"
probe=$ROOT/build/${CONF:-release}/tests/probe
mbs() { "$probe" rss "$@" | awk '{ printf "%.0f", $1 / 1024 }'; }
python3 "$ROOT/tests/peer/corpus.py" code 24 >"$t/code.lm" || { echo '# no code: make deps-dev'; exit 0; }
size=30784 # 256 bytes, 30,016 merges, 512 reserved
cores=$(nproc)

lm-bpe-train -o "$t/v" --vocab-size $size "$t/code.lm" || exit 1
least() { printf '%.2f' "$(best "$@")"; }
ours=$(least 3 "lm-bpe-train -o $t/v --vocab-size $size $t/code.lm")
mem=$(mbs lm-bpe-train -o "$t/v" --vocab-size $size "$t/code.lm")
theirs='' with=- peak=''
if peer tokenizers; then
    TOKENIZERS_PARALLELISM=true "$LM_PEERS" "$ROOT/tests/peer/bpe_train.py" "$t/code.lm" qwen2 $size whole \
        "$t/v/tokenizer.json" >"$t/out" || {
        sed 's/^/# /' "$t/out"
        exit 1
    }
    with=tokenizers theirs=$(sed -n 's/^seconds //p' "$t/out") peak=$(sed -n 's/^peak //p' "$t/out")
fi
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
for p in gigatoken rustbpe; do
    theirs='' with=- peak=''
    if peer $p && r=$(PYTHONPATH=$ROOT/tests/peer "$LM_PEERS" "$t/peer.py" "$t/code.lm" $p 30016 2>"$t/err" | tail -n 1) && [ -n "$r" ]; then
        with=$p theirs=${r% *} peak=${r#* }
    fi
    s=$(least 3 "lm-bpe-train -o $t/g --pretok gpt2 --vocab-size $size $t/code.lm")
    row "train 24 MB, 30k merges, pattern gpt2" s "$s" "$with" "$theirs" - "$mem" "$peak"
done

python3 "$ROOT/tests/peer/corpus.py" code 205 >"$t/more.lm" || exit 1
set -- "$t/more.lm" "$t/more.lm" "$t/more.lm" "$t/more.lm" "$t/more.lm"
bytes=$(tail -n 1 "$t/more.lm" | sed 's/.* b=\([0-9]*\).*/\1/')
gb=$(awk "BEGIN { printf \"%.1f\", 5 * $bytes / 1e9 }")
row "train $gb GB of code, -m 512M, peak (goal <1000)" MB "$(mbs lm-bpe-train -m 512M -o "$t/m" "$@")"
row "train $gb GB of code, no bound" s "$(least 1 "lm-bpe-train -o $t/w $*")"
cmp -s "$t/m/tokenizer.json" "$t/w/tokenizer.json" || { echo '# -m 512M gives another vocabulary'; exit 1; }
