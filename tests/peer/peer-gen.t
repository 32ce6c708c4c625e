#!/bin/sh
# A model we trained is one to transformers: it loads, and gives the log-probabilities and greedy texts we give.
. "${0%/*}/../t.sh"
skip_without peers:transformers
export HF_HUB_OFFLINE=1
lm-import -o src.lm "$ROOT/lib"
lm-bpe-train --vocab-size 1024 src.lm -o vocab
lm-tok --vocab vocab src.lm | lm-pack --seq 128 | lm-shard -o shards
for m in qwen3-bf16 qwen3-f32 llama-bf16 llama-f32 qwen2-f32 gpt2-f32 mpt-f32; do
    arch=${m%-*} dtype=${m#*-}
    run "$m is trained" 0 "lm-init --arch $arch --layers 2 --dim 128 --heads 4 --seq 256 --dtype $dtype --vocab vocab -o $m &&
        lm-train -q -m $m -o run-$m --seq 128 --dtype $dtype --steps 40 --batch-tokens 2048 --lr 6e-3 --eval-every 0 shards"
    run "$m: 20 greedy texts of 64 tokens are transformers'" 0 "\$LM_PEERS '$ROOT/tests/peer/gen.py' run-$m/latest '$ROOT/lib/stream/in.c'"
    note "$m: $(cat "$out")"
    run "$m: middles are as likely as transformers finds them" 0 \
        "\$LM_PEERS '$ROOT/tests/peer/infill.py' run-$m/latest '$ROOT/lib/stream/in.c'"
    note "$m: $(cat "$out")"
done
done_testing
