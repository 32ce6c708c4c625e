#!/bin/sh
# Pre-tokenizers cut where those of PyPI tokenizers cut; our tokenizer.json of each pattern is saved there to the same bytes.
. "${0%/*}/../t.sh"
skip_without peers:tokenizers
export TOKENIZERS_PARALLELISM=true HF_HUB_OFFLINE=1
peer=$ROOT/build/$CONF/peer/pretok
[ -x "$peer" ] || { echo "1..0 # SKIP no $peer (make helpers)"; exit 0; }

run 'each pattern cuts each text as there' 0 "\$LM_PEERS '$ROOT/tests/peer/pretok.py' $peer"
note "$(cat "$out")"
lm-import -o src.lm "$ROOT/lib"
again='import sys; from tokenizers import Tokenizer; p = sys.argv[1]; sys.exit(Tokenizer.from_file(p).to_str(pretty=True).encode() != open(p, "rb").read())'
for pattern in qwen2 gpt2 starcoder cl100k o200k deepseek-coder 'regex:\p{L}+|[^\p{L}]'; do
    run "$pattern: saved there to the same bytes" 0 \
        "lm-bpe-train -o v --vocab-size 700 --reserve 64 --pretok '$pattern' src.lm && \$LM_PEERS -c '$again' v/tokenizer.json"
    run "$pattern: known again when read" 0 "lm-vocab v | grep -Fx 'pattern	$pattern'"
    lm-tok --vocab v --special parse --eos off src.lm >ids.lm
    run "$pattern: ids of our sources" 0 "\$LM_PEERS '$ROOT/tests/peer/tok_ids.py' src.lm ids.lm v/tokenizer.json"
    rm -rf v
done
done_testing
