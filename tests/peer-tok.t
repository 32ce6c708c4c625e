#!/bin/sh
# Vocabularies and ids are those of PyPI tokenizers, on the Python library Debian installs.
. "${0%/*}/t.sh"
skip_without peers:tokenizers
lib=$(/usr/bin/python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))' 2>/dev/null)
[ -f "$lib/os.py" ] || lib=$(for d in /usr/lib/python3.*; do [ ! -f "$d/os.py" ] || echo "$d"; done | tail -n 1)
[ -n "$lib" ] || { echo '1..0 # SKIP no Python library in /usr/lib'; exit 0; }
# shellcheck disable=SC2086 # the second argument is words
peer() { TOKENIZERS_PARALLELISM=true HF_HUB_OFFLINE=1 "$LM_PEERS" "$ROOT/tests/peer/$1" $2; }
# What is not UTF-8 has no counterpart there.
lm-import --max-bytes 100M "$lib" | lm-select -e 'ext == "py" & (enc == "utf8" | enc == "ascii")' >py.lm
note "$(tail -n 1 py.lm) from $lib"

for pattern in qwen2 gpt2; do
    for size in 1 8 32; do
        for mode in whole lines; do
            v=$pattern-$size-$mode
            lm-bpe-train -o "$v" --vocab-size $((size * 1024)) --pretok $pattern "$([ $mode = lines ] && echo --lines || echo --allow-short)" py.lm
            run "merges, ids and bytes of $pattern, ${size}k, $mode are Hugging Face's" 0 \
                "peer bpe_train.py 'py.lm $pattern ${size}k $mode $v/tokenizer.json'"
            note "$(cat "$out")"
        done
    done
done
"$LM_PEERS" "$ROOT/tests/peer/strange.py" odd.lm
head -c 10000000 /dev/urandom >random
for pattern in qwen2 gpt2; do
    v=$pattern-8-whole
    for f in py odd; do
        lm-tok --vocab $v --special parse --eos off $f.lm >$f.tok
        run "ids of $f, $pattern: Hugging Face's" 0 "peer tok_ids.py '$f.lm $f.tok $v/tokenizer.json'"
        note "$(cat "$out")"
        run "$f, $pattern: every document comes back" 0 \
            "lm-tok --vocab $v $f.lm | lm-detok --vocab $v | cmp - $f.lm"
    done
    run "10 MB of random bytes come back under $pattern" 0 \
        "lm-import --max-bytes 100M random | lm-tok --vocab $v | lm-detok --vocab $v --text | cmp - random"
done
skip_without peers:transformers
run 'transformers loads the directory and knows its roles' 0 "peer hf_load.py 'qwen2-8-whole 8192'"
done_testing
