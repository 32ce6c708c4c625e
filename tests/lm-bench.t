#!/bin/sh
# lm-bench measures peaks; lm-train tells the share of them it reaches. No figure is held to a speed.
. "${0%/*}/t.sh"
. "$ROOT/tests/tinyrun.sh"
B() { lm-bench --seconds 0.001 --sizes 48,96 --vocab 100 --bytes 64K "$@"; }
col() { lm-metrics --kind peak -k "$1" "$2" | sed 1d; }

run 'all parts' 0 'B -o all.lm'
is 'each part is there' 'col what all.lm | sort -u | tr "\n" " "' 'attn copy disk fma gemm reduce '
run 'every figure is a positive number' 0 \
    'col gflops,gbs all.lm | awk "{ n++; if (!(\$1 > 0) || NF != 1) bad++ } END { exit !n || bad }"'
run 'products, registers and attention have level, format and threads' 0 \
    'col what,level,fmt,threads all.lm | awk -F"\t" "\$1 ~ /fma|gemm|attn/ && !(\$2 ~ /./ && \$3 ~ /^(f32|bf16t?)\$/ && \$4 > 0) { bad++ }
        END { exit bad > 0 }"'
run 'a share is the figure over that of the registers' 0 \
    'B --gemm -j 1 | lm-metrics --kind peak -k what,gflops,share | awk -F"\t" "\$1 == \"fma\" { f = \$2 }
        \$1 == \"gemm\" { n++; d = \$2 / f - \$3; e = 0.001 + 0.002 * \$3; if (d > e || d < -e) bad++ } END { exit !n || bad }"'
run 'the best level alone' 0 'col level all.lm | grep . | tail -n 1 >best; B --gemm --best -j 1 | lm-metrics --kind peak -k level | sed 1d | sort -u | cmp - best'
is 'one level, one thread: the shapes' \
    'LM_DEVICE=ref B --gemm --attn -j 1 | lm-metrics --kind peak -k what,fmt,pass,threads,n,k,seq | sed 1d | tr "\t" " "' \
    'fma f32  1   
gemm f32  1 48 48 
gemm f32  1 96 96 
gemm f32  1 100 48 
fma bf16  1   
gemm bf16  1 48 48 
gemm bf16  1 96 96 
gemm bf16  1 100 48 
fma bf16t  1   
gemm bf16t  1 48 48 
gemm bf16t  1 96 96 
gemm bf16t  1 100 48 
attn f32 fwd 1   96
attn f32 bwd 1   96
attn bf16 fwd 1   96
attn bf16 bwd 1   96'
is 'two threads are measured beside one' 'B --copy --reduce -j 2 | lm-metrics --kind peak -k what,threads,bytes | sed 1d | tr "\t" " "' \
    'copy 1 65536
copy 2 65536
reduce 1 65536
reduce 2 65536'
fails 'sizes are numbers' 2 'B --sizes 8,x' '--sizes 8,x: want'
fails 'sizes are not none' 2 "B --sizes ''" 'want up to'
fails 'a folder that is not there' 5 'B --disk --dir none' 'io: '
fails 'operands are none' 2 'B a' 'usage'
fails 'a level the kernels do not know' 2 'LM_DEVICE=best B --gemm' 'LM_DEVICE=best'

# lm-train: tokens a second times (6 N + 6 L d T) over the peak
stream '@metric kind=peak what=fma level=avx2 fmt=bf16 threads=1 gflops=50' '' '@metric kind=peak what=fma level=x fmt=bf16 threads=1 gflops=100' '' \
    '@metric kind=peak what=gemm level=x fmt=bf16 threads=1 gflops=40' '' '@metric kind=peak what=gemm level=x fmt=bf16 threads=2 gflops=60' '' \
    '@metric kind=peak what=gemm level=x fmt=f32 threads=2 gflops=9999' '' >peaks.lm
run 'a training beside its peaks' 0 'tiny_run one 2 -j 2 --peaks peaks.lm'
params=$(sed -n 's/^@run.* params=\([0-9]*\).*/\1/p' one/metrics.lm)
cfg() { sed -n "s/^ *\"$1\": \([0-9]*\).*/\1/p" model/config.json; }
# shellcheck disable=SC2016
run 'mfu is of twice the one thread, mfu-measured of the product on two' 0 \
    'lm-metrics --kind time -k tps,mfu,mfu-measured one/metrics.lm | sed 1d | awk -v n="$params" -v l="$(cfg num_hidden_layers)" \
        -v d=$(($(cfg num_attention_heads) * $(cfg head_dim))) "function near(a, b) { return a > 0.995 * b && a < 1.005 * b }
        { g = \$1 * (6 * n + 6 * l * d * 16) / 1e9; rows++; if (!near(\$2, g / 200) || !near(\$3, g / 60)) bad++ } END { exit rows != 2 || bad }"'
tokens 20 1 | lm-shard -q -o plain
lm-init --arch gpt2 --tie off --layers 1 --dim 32 --heads 2 --vocab-size 64 --seq 64 -o gpt
run 'a table of positions and an input embedding of its own do not count' 0 \
    'lm-train -q -m gpt -o three --seq 16 --batch-tokens 64 --micro 4 --steps 1 -j 1 --peaks peaks.lm plain &&
    lm-metrics --kind time -k tps,mfu three/metrics.lm | sed 1d | awk -v n="$(sed -n "s/^@run.* params=\([0-9]*\).*/\1/p" three/metrics.lm)" \
        "{ f = \$1 * (6 * (n - 64 * 32 - 64 * 32) + 6 * 32 * 16) / 1e9 / 100; exit !(\$2 > 0.995 * f && \$2 < 1.005 * f) }"'
like 'the weights have nothing to do with it' 'tiny_run two 2 -j 2; diff -r one/latest/ two/latest/ && echo same' '^same$'
run 'and without peaks there is no mfu' 0 '! grep -a mfu two/metrics.lm'
fails 'copies are not enough' 3 'LM_DEVICE=ref B --copy -o c.lm; tiny_run x 1 --peaks c.lm' \
    'c.lm: missing: no peaks of products in bf16'
fails 'tile order has peaks of its own' 3 'tiny_run x 1 --sum tile --peaks peaks.lm' 'peaks.lm: missing: no peaks of products in bf16t'
run '.. which count' 0 'sed "s/fmt=bf16 /fmt=bf16t /" peaks.lm >tile.lm; tiny_run tile 1 --sum tile --peaks tile.lm && grep -aq "mfu=" tile/metrics.lm'
fails 'nor is a file that is not there' 5 'tiny_run x 1 --peaks none.lm' 'none.lm'
done_testing
