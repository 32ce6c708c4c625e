#!/bin/sh
# bpe-train.sh: learning a vocabulary from the Python library, start and reading included, against Hugging Face's
# tokenizers (documents already in memory). The merges must be equal.
set -u
. "${0%/*}/corpus.sh"

for size in 8192 32768; do
    s=$(best 3 "lm-bpe-train -o $t/v --vocab-size $size $t/py.lm")
    ours=$(rate "$bytes" "$s") theirs='' with=-
    if peer tokenizers; then
        "$LM_PEERS" "$ROOT/tests/peer/bpe_train.py" "$t/py.lm" qwen2 $size whole "$t/v/tokenizer.json" >"$t/out" || {
            sed 's/^/# /' "$t/out"
            exit 1
        }
        with=tokenizers theirs=$(rate "$bytes" "$(sed -n 's/^seconds //p' "$t/out")")
    fi
    row "train $size tokens, all threads (goal 12x)" MB/s "$ours" "$with" "$theirs"
done
