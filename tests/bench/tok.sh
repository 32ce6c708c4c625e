#!/bin/sh
# tok.sh: encoding and decoding the Python library on one thread: ours as whole processes that read and write
# streams, once and eight times over; the peers on strings in memory, with the same vocabulary. Ids must be equal.
set -u
. "${0%/*}/corpus.sh"

lm-bpe-train -o "$t/v" "$t/py.lm" || exit 1
for i in 1 2 3 4 5 6 7 8; do cat "$t/py.lm"; done >"$t/py8.lm"
lm-tok --vocab "$t/v" --special parse --eos off "$t/py.lm" >"$t/ids.lm" || exit 1
cold=$(rate "$bytes" "$(best 5 "lm-tok -j 1 --vocab $t/v $t/py.lm >$t/out")")
warm=$(rate $((8 * bytes)) "$(best 3 "lm-tok -j 1 --vocab $t/v $t/py8.lm >$t/out")")
back=$(rate $((8 * bytes)) "$(best 3 "lm-detok -j 1 --vocab $t/v $t/out >$t/out2")")
two=$(rate $((8 * bytes)) "$(best 3 "lm-tok -j 2 --vocab $t/v $t/py8.lm >$t/out")")
cat >"$t/peer.py" <<'E'
import json, sys, time
docs, vocab, which = sys.argv[1:]
texts = []
with open(docs, "rb") as f:
    for head in iter(f.readline, b""):
        if head[:1] == b"@":
            texts.append(f.read(int(head.split()[1]) + 1)[:-1].decode())
size = sum(len(t.encode()) for t in texts)
if which == "tokenizers":
    from tokenizers import Tokenizer
    tok = Tokenizer.from_file(vocab)
    encode = lambda: [e.ids for e in tok.encode_batch(texts, add_special_tokens=False)]
    decode = lambda ids: tok.decode_batch(ids, skip_special_tokens=False)
else:
    import tiktoken
    j = json.load(open(vocab))
    good = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    byte = {chr(b): b for b in good}
    byte.update({chr(256 + i): b for i, b in enumerate(b for b in range(256) if b not in good)})
    ranks = {bytes(byte[c] for c in k): i for k, i in j["model"]["vocab"].items()}
    pattern = j["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"]
    enc = tiktoken.Encoding("ours", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    encode = lambda: [enc.encode_ordinary(t) for t in texts]
    decode = lambda ids: [enc.decode(i) for i in ids]
best = [1e9, 1e9]
for _ in range(3):
    a = time.time(); ids = encode(); b = time.time(); back = decode(ids); c = time.time()
    best = [min(best[0], b - a), min(best[1], c - b)]
assert back == texts
json.dump(ids, open(sys.argv[1] + ".json", "w"))
print("%.1f %.1f" % (size / 1e6 / best[0], size / 1e6 / best[1]))
E
cat >"$t/same.py" <<'E'
import json, sys
import numpy
want = json.load(open(sys.argv[1]))
with open(sys.argv[2], "rb") as f:
    for head in iter(f.readline, b""):
        if head[:1] == b"@":
            body = f.read(int(head.split()[1]) + 1)[:-1]
            assert numpy.frombuffer(body, "<u2").tolist() == want.pop(0), "other ids"
assert not want
E
for p in tokenizers tiktoken; do
    enc='' dec='' with=-
    if peer $p; then
        r=$(TOKENIZERS_PARALLELISM=false RAYON_NUM_THREADS=1 "$LM_PEERS" "$t/peer.py" "$t/py.lm" "$t/v/tokenizer.json" $p) || exit 1
        "$LM_PEERS" "$t/same.py" "$t/py.lm.json" "$t/ids.lm" || { echo "# $p gives other ids"; exit 1; }
        enc=${r% *} dec=${r#* } with=$p
    fi
    goal=100x; [ $p = tokenizers ] || goal=30x
    row "encode code once, 1 thread" MB/s "$cold" "$with" "$enc"
    row "encode code 8 times over (goal $goal)" MB/s "$warm" "$with" "$enc"
    goal=' (goal 50x)'; [ $p = tokenizers ] || goal=
    row "decode$goal" MB/s "$back" "$with" "$dec"
done
row 'encode, 2 threads over 1 (goal 1.85x)' MB/s "$two" 'ours -j 1' "$warm"
