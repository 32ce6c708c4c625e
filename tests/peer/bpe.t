#!/bin/sh
# Merges are those of PyPI tokenizers: on the Go sources Debian installs, for three sizes, in the odd cases of its
# trainer, and for corpora of few letters. On the Python library: peer-tok.t.
. "${0%/*}/../t.sh"
skip_without peers:tokenizers
TOKENIZERS_PARALLELISM=true HF_HUB_OFFLINE=1
export TOKENIZERS_PARALLELISM HF_HUB_OFFLINE
run 'odd cases: the merges of 150 small corpora' 0 "'$LM_PEERS' '$ROOT/tests/peer/bpe_odd.py' 0 150"
note "$(cat "$out")"

src=$(for d in /usr/share/go-*/src; do [ ! -d "$d/go" ] || echo "$d"; done | tail -n 1)
[ -n "$src" ] || { note 'no Go sources: make deps-dev'; done_testing; exit; }
# What is not UTF-8 has no counterpart there.
lm-import --max-bytes 100M "$src" | lm-select -e 'ext == "go" & (enc == "utf8" | enc == "ascii")' >go.lm
note "$(tail -n 1 go.lm) from $src"
for pattern in ${LM_PRETOK:-qwen2 gpt2}; do
    for mode in whole lines; do
        for size in 1 8 32; do
            lm-bpe-train -o $size --vocab-size $((size * 1024)) --pretok "$pattern" "$([ $mode = lines ] && echo --lines || echo --allow-short)" go.lm
        done
        run "Go, $pattern, $mode: merges, ids and bytes at three sizes" 0 \
            "'$LM_PEERS' '$ROOT/tests/peer/bpe_train.py' go.lm $pattern 1,8,32k $mode 1/tokenizer.json 8/tokenizer.json 32/tokenizer.json"
        note "$(cat "$out")"
    done
done
done_testing
