#!/bin/sh
# train.sh: the trainer beside PyTorch on the same model directory and the same tokens, by turns, the best of each.
# Products: bf16 matrices (in the order that is the faster here, lm-train --sum) of 512 to 4096 and the head's 50304 columns, one thread, of lm-bench and of torch.matmul; the
# limit is what multiply-adds from registers alone reach on this machine. Training: 124 M (GPT-2), 4 rows of 256 and 1
# of 1024, and 10 M (Qwen3), AdamW and clipping, no z-loss. The peer is the best of transformers in f32 and bf16, plain
# and compiled (BENCH_COMPILE=0: plain alone, minutes less). The loss of the first step must agree. llm.c's CPU
# reference: 19 to 23 tokens a second and core where its authors' file was measured (design of the trainer).
set -u
. "$ROOT/tests/tokens.sh"
. "${0%/*}/corpus.sh"
cd "$t" || exit 1
turns=${BENCH_TURNS:-2} steps=${BENCH_STEPS:-6} cores=$(nproc)
probe=$ROOT/build/${CONF:-release}/tests/probe
if ! peer transformers; then LM_PEERS=''; fi
most() { sort -g "$1" | tail -n 1; }

# --- products
: >theirs
for _ in $(seq "$turns"); do
    lm-bench -q --gemm --best -j 1 --seconds 1 >>peaks || exit 1
    [ -z "$LM_PEERS" ] || "$LM_PEERS" "$ROOT/tests/bench/matmul.py" 512 1024 2048 4096 >>theirs || exit 1
done
# flops WHAT FORMAT SHAPE: the best of all turns, at the best level
flops() { grep -a "^@metric.*what=$1 level=[^ ]* fmt=$2 threads=1$3" peaks | sed 's/.*gflops=\([^ ]*\).*/\1/' | sort -g | tail -n 1; }
# Products in tile order where they are the faster ones: lm-train --sum.
fmt=bf16 sum=chain
if awk "BEGIN { exit !($(flops gemm bf16t ' m=512') > $(flops gemm bf16 ' m=512')) }"; then fmt=bf16t sum=tile; fi
limit=$(flops fma $fmt '')
for shape in '512 512 512' '1024 1024 1024' '2048 2048 2048' '4096 4096 4096' '512 50304 512'; do
    # shellcheck disable=SC2086
    set -- $shape
    peer=- rate=''
    if [ -s theirs ]; then
        peer=torch.matmul
        rate=$(awk -v m="$1" -v n="$2" -v k="$3" '$1 == m && $2 == n && $3 == k { print $4 }' theirs | sort -g | tail -n 1)
    fi
    got=$(flops gemm $fmt " m=[0-9]* n=$2 k=$3") # of rows as many as fit into the time
    row "$sum product $1 x $2 x $3, one thread (goal 1x)" GFLOP/s "$got" $peer "$rate" "$limit"
    row "$sum product $1 x $2 x $3, of the peak (goal >75)" % "$(awk "BEGIN { printf \"%.0f\", 100 * ${got:-0} / $limit }")"
done

# --- training
tokens 1200 1 >t.lm
# shape NAME ROWS SEQ INIT-OPTIONS ..
shape()
{
    name=$1 rows=$2 seq=$3
    shift 3
    rm -rf model data raw && rm -f mine theirs one
    lm-init "$@" --seq 1024 --dtype f32 -o model || exit 1
    lm-pack -q --mode concat --seq "$seq" t.lm | lm-shard -q -o data || exit 1
    lm-export -q --to raw -o raw data || exit 1
    : >mine && : >theirs && : >one
    for _ in $(seq "$turns"); do
        for d in bf16 f32; do
            ours $d "$cores" >>mine || exit 1
            [ -z "$LM_PEERS" ] || "$LM_PEERS" "$ROOT/tests/bench/train.py" model raw $d "$cores" "$steps" "$rows" "$seq" >>theirs 2>err-peer ||
                { tail -n 1 err-peer | sed 's/^/# /'; exit 1; }
        done
        [ "$cores" = 1 ] || ours bf16 1 >>one || exit 1
    done
    peer=- rate='' mem=''
    if [ -s theirs ]; then
        # a line: (name,) tokens a second, peak MB, loss of the first step
        cat mine theirs | awk -F'\t' 'NR == 1 { want = $NF } { d = $NF / want - 1; if (d > 0.01 || d < -0.01) { print "# losses differ: " want ", " $0; bad = 1 } }
            END { exit bad }' || exit 1
        peer=$(sort -t '	' -g -k 2,2 theirs | tail -n 1 | cut -f 1)
        rate=$(cut -f 2 theirs | most /dev/stdin)
        mem=$(awk -F'\t' -v p="$peer" '$1 == p { print $3 }' theirs | sort -g | head -n 1)
    fi
    # shellcheck disable=SC2046
    set -- $(sort -g mine | tail -n 1)
    row "$name, $rows x $seq, $cores threads (goal 2x)" tok/s "$1" "$peer" "$rate" - "$2" "$mem"
    [ "$cores" = 1 ] || row "$name, $rows x $seq, $cores threads over 1 (goal 1.85x)" tok/s "$(awk 'NR % 2' mine | cut -f 1 | most /dev/stdin)" 'own, 1' "$(cut -f 1 one | most /dev/stdin)"
}
# ours DTYPE JOBS: tokens a second (median of the steps but the first two), peak MB, loss of the first step
ours()
{
    rm -rf run
    o_sum=chain
    [ "$1" = f32 ] || o_sum=$sum
    o_rss=$("$probe" rss lm-train -q -j "$2" -m model -o run --opt adamw --zloss 0 --dtype "$1" --sum $o_sum --batch-tokens $((rows * seq)) --micro "$rows" \
        --pack plain --shuffle none --warmup 0 --sched const --lr 3e-4 --wd 0 --steps "$steps" --ckpt-every 100000 data | tail -n 1 | awk '{ printf "%.0f", $1 / 1024 }')
    o_tps=$(lm-metrics -q --kind time -k tps run/metrics.lm | sed 1,3d | sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }')
    printf '%s\t%s\t%s\n' "$o_tps" "$o_rss" "$(lm-metrics -q -k loss run/metrics.lm | sed -n 2p)"
}
shape '10 M' 4 256 --layers 10 --dim 256 --head-dim 64 --ffn 768 --vocab-size 8192
shape '124 M' 4 256 --arch gpt2 --layers 12 --dim 768 --heads 12 --vocab-size 50304
[ "$cores" = 1 ] || row '124 M, 4 x 256, one thread (goal 10x)' tok/s "$(cut -f 1 one | most /dev/stdin)" "llm.c, published" 23
shape '124 M' 1 1024 --arch gpt2 --layers 12 --dim 768 --heads 12 --vocab-size 50304
