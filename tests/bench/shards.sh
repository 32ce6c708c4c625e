#!/bin/sh
# shards.sh: the reader of shards, and the road to them. 200 MB of code as tokens of 16 bits, rows of 2048 in keyed
# order out of the page cache, one thread; the peer reads the same rows, exported to its format. A view is a row where
# it lies; a copied one is what a feeder of a device does; a laid out one is what the trainer computes on (ids, targets,
# weights, document starts, in 32 bits). Limits: memcpy of the same rows, in the same order. Start-up: 1 TB of tokens
# in sparse files. To the shards: lm-tok alone to /dev/null, and lm-tok | lm-shard, by turns.
set -u
. "${0%/*}/corpus.sh"
probe=$ROOT/build/${CONF:-release}/tests/probe reader=$ROOT/build/${CONF:-release}/peer/reader
python3 "$ROOT/tests/peer/corpus.py" code 200 >"$t/code.lm" || { echo '# no code: make deps-dev'; exit 0; }
lm-bpe-train -q -o "$t/v" --vocab-size 32768 --reserve 512 --sample 0.1 "$t/code.lm" || exit 1
lm-tok --vocab "$t/v" "$t/code.lm" | lm-pack -q --seq 2048 | lm-shard -o "$t/rows" || exit 1

turns=${BENCH_TURNS:-3}
: >"$t/ours" && : >"$t/theirs"
peer=- rate=''
if peer streaming; then
    peer=mosaicml-streaming
    lm-export -q --to mds -o "$t/mds" "$t/rows" || exit 1
fi
for i in $(seq "$turns"); do
    "$reader" "$t/rows" 2048 1000000 >>"$t/ours" || exit 1
    [ $peer = - ] || "$LM_PEERS" "$ROOT/tests/bench/mosaic.py" "$t/mds" >>"$t/theirs" 2>"$t/err" || { sed 's/^/# /' "$t/err"; exit 1; }
done
most() { sort -g -k "$1,$1" "$2" | awk -v c="$1" 'END { print $c }'; }
least() { sort -g -k "$1,$1" "$2" | awk -v c="$1" 'NR == 1 { print $c }'; }
memcpy=$(most 6 "$t/ours")
mem=$("$probe" rss "$reader" "$t/rows" 2048 1000000 | tail -n 1 | awk '{ printf "%.0f", $1 / 1024 }')
[ $peer = - ] || rate=$(most 1 "$t/theirs")
row 'rows copied (goal >5)' GB/s "$(most 3 "$t/ours")" memcpy "$memcpy" "$memcpy" "$mem"
row 'rows copied, first pass, blocks checked' GB/s "$(most 2 "$t/ours")" memcpy "$memcpy" "$memcpy"
row 'a sequence, as it lies (goal <1)' us "$(least 4 "$t/ours" | awk '{ printf "%.3f", $1 / 1000 }')"
row 'a sequence, laid out for training' us "$(least 5 "$t/ours" | awk '{ printf "%.3f", $1 / 1000 }')"
row 'rows copied, as the peer gives them (goal 20x)' rows/s "$(most 3 "$t/ours" | awk '{ printf "%.0f", 1e9 * $1 / 4096 }')" $peer "$rate" - "$mem" "$(most 2 "$t/theirs")"
row 'rows laid out' rows/s "$(least 5 "$t/ours" | awk '{ printf "%.0f", 1e9 / $1 }')" $peer "$rate"

for shape in '4 137438953472' '4096 134217728'; do
    # shellcheck disable=SC2086
    if ! python3 "$ROOT/tests/bench/sparse.py" "$t/sparse" $shape 2>"$t/err"; then
        echo "# no sparse files of this size: $(tail -n 1 "$t/err")"
    else
        "$reader" open "$t/sparse" 2048 >"$t/open" && "$reader" open "$t/sparse" 2048 >>"$t/open" || exit 1
        row "1 TB in ${shape% *} shards, to the first row" ms "$(least 2 "$t/open")"
    fi
    rm -rf "$t/sparse"
done

alone() { lm-tok --vocab "$t/v" "$t/code.lm" >/dev/null; }
whole() { lm-tok --vocab "$t/v" "$t/code.lm" | lm-shard -o "$t/s"; }
: >"$t/a" && : >"$t/w"
for i in $(seq $((turns + 2))); do
    rm -rf "$t/s" # a folder that is there is replaced, and its removal is no part of writing
    best 1 alone >>"$t/a" && best 1 whole >>"$t/w" || exit 1
done
size=$(tail -n 1 "$t/code.lm" | sed 's/.* b=\([0-9]*\).*/\1/')
mem=$({ "$probe" rss lm-tok --vocab "$t/v" "$t/code.lm" -o "$t/toks.lm"; "$probe" rss lm-shard -o "$t/s" "$t/toks.lm"; } |
    awk '{ s += $1 } END { printf "%.0f", s / 1024 }')
row "file to shards, $(nproc) threads (goal 0.85x)" MB/s "$(rate "$size" "$(least 1 "$t/w")")" 'lm-tok alone' "$(rate "$size" "$(least 1 "$t/a")")" - "$mem"
row 'file to shards, both processes (goal <1000)' MB "$mem"
