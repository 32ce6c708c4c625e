#!/bin/sh
# lm-plan tells of a training what lm-train then does: its memory to the byte, its steps, its refusals.
. "${0%/*}/t.sh"
. "$ROOT/tests/tokens.sh"
tokens 60 1 >train.toks
lm-shard -q -o train train.toks
lm-init --layers 2 --dim 32 --heads 2 --kv-heads 1 --ffn 32 --vocab-size 64 --seq 64 -o qwen3
lm-init --arch gpt2 --layers 3 --dim 48 --heads 3 --vocab-size 80 --seq 64 -o gpt2
recipe='--seq 16 --batch-tokens 256 --micro 8 --warmup 2 --steps 3'
# plan MODEL OPTIONS ..: the table; got KEY: a value of the last one
# shellcheck disable=SC2086
plan() { p_m=$1; shift; lm-plan --tsv -m "$p_m" "$@" >plan.tsv; }
got() { awk -F '\t' -v k="$1" '$1 == k { print $2 }' plan.tsv; }
# agree MODEL OPTIONS ..: plan and training have equal arenas, sizes of checkpoints and schedules
agree()
{
    rm -rf run
    a_m=$1; shift
    # shellcheck disable=SC2086
    plan "$a_m" -j 2 $recipe "$@" train && lm-train -q -m "$a_m" -j 2 -o run $recipe --ckpt-every 1 "$@" train || return
    [ "$(got arena)" = "$(lm-metrics -q --kind sys -k arena run/metrics.lm | tail -n 1)" ] || return
    [ "$(got checkpoint)" = "$(find run/latest/ -name '*.safetensors' -exec cat {} + | wc -c | tr -d ' ')" ] || return
    awk -F '\t' '/^(master|batch|forward|backward|moments|gradients|ema|activations|work)\t/ { s += $2 } /^(master|arena|batch)\t/ { t += $2 } $1 == "all" { a = $2 }
        $1 == "arena" { r = $2 } $1 == "master" { m = $2 } $1 == "batch" { b = $2 } END { exit !(s == a && t == a && s == r + m + b) }' plan.tsv
}
for m in qwen3 gpt2; do
    for r in none act block; do
        # shellcheck disable=SC2016
        run "$m, recompute $r: the arena planned is the one taken" 0 "agree $m --recompute $r"
        got arena >>arenas.$m
    done
    run '.. each smaller than the one before' 0 "awk 'NR > 1 && \$1 >= a { bad = 1 } { a = \$1 } END { exit bad || NR != 3 }' arenas.$m"
    run "$m with other optimisers, an average, frozen tensors, f32" 0 \
        "agree $m --opt lion && agree $m --opt adamw --ema 0.9 --freeze 'norm|ln_' && agree $m --dtype f32 --freeze 'layers.0|h.0'"
done
run 'parts are what they are for' 0 'plan qwen3 $recipe --opt adamw && n=$(got params) && [ "$n" = 14560 ] && [ "$(got master)" = $((4 * n)) ] && [ "$(got moments)" = $((8 * n)) ] && [ "$(got ema)" = 0 ] &&
    [ "$(got gradients)" = $((4 * n + 4 * 64 * 32)) ] && plan qwen3 $recipe --opt lion --ema 0.9 && [ "$(got moments)" = $((4 * n)) ] && [ "$(got ema)" = $((4 * n)) ]'
run 'frozen tensors have no moments' 0 'plan qwen3 $recipe --opt adamw --freeze norm && [ "$(got trained)" = 14336 ] && [ "$(got moments)" = $((8 * 14336)) ]'
if [ "${CONF:-release}" = release ]; then
    # peak of a whole process; a checkpoint that is read back is mapped, and counts
    lm-init --layers 4 --dim 192 --heads 3 --vocab-size 4096 --seq 64 -o mid
    run 'the memory of the process is what was planned, and the checkpoint read back' 0 'for r in none block; do
        plan mid -j 2 --seq 64 --batch-tokens 2048 --micro 32 --steps 1 --warmup 0 --opt adamw --recompute $r && rm -rf big &&
        lm-train -q -j 2 -m mid -o big --seq 64 --batch-tokens 2048 --micro 32 --steps 1 --warmup 0 --opt adamw --recompute $r --ckpt-every 1 train &&
        lm-metrics -q --kind sys -k rss big/metrics.lm | tail -n 1 | awk -v a="$(got all)" -v c="$(got checkpoint)" "{ print \$1, a, c; exit !(\$1 > 0.9 * a && \$1 < a + c + 24e6) }" || exit 1; done'
fi

# --- steps and schedule
run 'steps and schedule are those of the run' 0 'for o in "--steps 40" "--tokens 9999" "--ratio 0.5" "--steps 30 --warmup 7 --decay 50%" ; do rm -rf r2
    set -- --seq 16 --batch-tokens 256 --micro 8 --lr 0 $o; plan qwen3 "$@" train && lm-train -q -m qwen3 -o r2 "$@" train || exit 1
    grep -a ^@run r2/metrics.lm | tr " " "\n" | awk -F= -v s="$(got steps)" -v w="$(got warmup-end)" -v d="$(got decay-start)" "\$1 == \"steps\" { S = \$2 } \$1 == \"warmup\" { W = \$2 } \$1 == \"decay\" { D = \$2 } END { exit !(S == s && W == w && S - D == d) }" || exit 1
    [ "$(got tokens)" = "$(lm-metrics -q -k tokens r2/metrics.lm | tail -n 1)" ] || exit 1; done'
run 'the rate rises to the one and falls behind the other' 0 'plan qwen3 --seq 16 --batch-tokens 256 --micro 8 --steps 30 --warmup 7 --decay 50% && lm-train -q -m qwen3 -o r3 --seq 16 --batch-tokens 256 --micro 8 --steps 30 --warmup 7 --decay 50% train &&
    lm-metrics -q -k step,lr r3/metrics.lm | awk -v w="$(got warmup-end)" -v d="$(got decay-start)" "NR > 1 { full = \$2 == 3e-4; if (full != (\$1 > w && \$1 <= d + 1)) bad = 1 } END { exit bad }"'
is 'of SHARDS it tells how often they are gone through' 'plan qwen3 --batch-tokens 2048 --micro 8 --seq 16 --steps 2 train; got data-tokens; got epochs | cut -c 1-5' "1914
2.151"
is 'a stream is left unread' 'plan qwen3 --seq 16 --steps 5 - && got steps; got data-tokens' 5
run 'config.json is enough' 0 'mkdir bare && cp qwen3/config.json bare && plan bare $recipe && cp plan.tsv a && plan qwen3 $recipe && cmp a plan.tsv'

# --- time
cat >peaks.lm <<'P'
%lm 1
@metric 0 kind=peak what=fma level=ref fmt=bf16 threads=1 gflops=90

@metric 0 kind=peak what=gemm level=ref fmt=bf16 threads=1 gflops=70

@metric 0 kind=peak what=gemm level=ref fmt=f32 threads=1 gflops=30

%end n=3 b=0
P
sed 's/%end n=3/@metric 0 kind=peak what=attn pass=fwd level=ref fmt=bf16 threads=1 gflops=40\n\n@metric 0 kind=peak what=attn pass=bwd level=ref fmt=bf16 threads=1 gflops=20\n\n%end n=5/' peaks.lm >attn.lm
# close A B: within a part in 10^9
close() { awk -v a="$1" -v b="$2" 'BEGIN { d = a / b - 1; exit !(d < 1e-9 && d > -1e-9) }'; }
run 'time is what the peaks give' 0 'plan qwen3 -j 1 $recipe --opt adamw --peaks peaks.lm && att=$((2 * 32 * 16)) &&
    close "$(got tokens-second)" "$(awk -v a=$att "BEGIN { printf \"%.17g\", 70e9 / (6 * 14560 + 7 * a) }")" &&
    close "$(got hours)" "$(awk -v t="$(got tokens-second)" "BEGIN { printf \"%.17g\", 3 * 256 / t / 3600 }")" && close "$(got gflop-token)" "$(awk -v a=$att "BEGIN { printf \"%.17g\", (6 * 14560 + 6 * a) / 1e9 }")"'
run '.. on two threads that of one, twice' 0 't=$(got tokens-second); plan qwen3 -j 2 $recipe --opt adamw --peaks peaks.lm && close "$(got tokens-second)" "$(awk -v t="$t" "BEGIN { printf \"%.17g\", 2 * t }")"'
run '.. of attention too' 0 'plan qwen3 -j 1 $recipe --opt adamw --peaks attn.lm && close "$(got tokens-second)" "$(awk "BEGIN { a = 2 * 32 * 16; printf \"%.17g\", 1e9 / (6 * 14560 / 70 + 2 * a / 40 + 5 * a / 20) }")"'
run '.. what is computed again costs' 0 'plan qwen3 -j 1 $recipe --opt adamw --recompute block --peaks attn.lm && p=$((2 * 32 * (32 + 64 + 64))) && a=$((2 * 32 * 16)) &&
    close "$(got gflop-again)" "$(awk -v p=$p -v a=$a "BEGIN { printf \"%.17g\", (p + a) / 1e9 }")" &&
    close "$(got tokens-second)" "$(awk -v p=$p -v b=$a "BEGIN { a = 2 * 32 * 16; printf \"%.17g\", 1e9 / ((6 * 14560 + p) / 70 + (2 * a + b) / 40 + 5 * a / 20) }")"'
run '.. Muon does' 0 'plan qwen3 -j 1 $recipe --peaks peaks.lm && u=$(got gflop-update) && close "$u" "$(awk "BEGIN { printf \"%.17g\", 2 * 5 * (5 * 6 * 32 ^ 3 + 2 * (4 * 16 ^ 2 * 32 + 2 * 16 ^ 3)) / 1e9 }")" &&
    close "$(got tokens-second)" "$(awk -v u="$u" "BEGIN { printf \"%.17g\", 256 / (256 * (6 * 14560 + 7 * 2 * 32 * 16) / 70e9 + u / 70) }")"'
run '.. ranks share the micro-batches' 0 'plan qwen3 -j 1 $recipe --opt adamw --peaks peaks.lm && t=$(got tokens-second) && plan qwen3 -j 1 $recipe --opt adamw --peaks peaks.lm --ranks 2 && close "$(got tokens-second)" "$(awk -v t="$t" "BEGIN { printf \"%.17g\", 2 * t }")"'
fails '.. but a micro-batch is not cut' 2 'plan qwen3 $recipe --ranks 3' 'ranks 3: a step has 2 micro-batches'
is 'without peaks it says so' 'lm-plan -m qwen3 $recipe | grep "not known" | sort -u' '  hours              not known: no peaks.lm
  tokens-second      not known: no peaks.lm'
fails 'peaks of another kind' 3 'plan qwen3 $recipe --dtype f32 --peaks peaks.lm' 'peaks.lm: missing: no peaks of products in f32'

# --- what does not fit
lm-init --layers 16 --dim 32 --heads 2 --kv-heads 1 --ffn 64 --vocab-size 64 --seq 64 -o deep
D='-j 1 --seq 64 --batch-tokens 4096 --micro 64 --steps 1 --lr 0.01'
run 'the least that fits is taken' 0 'plan deep $D --mem 1G; [ "$(got recompute)" = none ] || exit 9; m=$(got all); plan deep $D --mem $((m / 9 * 10 + 100)) && [ "$(got recompute)" = none ] || exit 8
    plan deep $D --mem $((m / 9 * 10 - 100)) && [ "$(got recompute)" = act ]'
run 'what does not fit: exit 1' 1 'plan deep $D --recompute none --mem 80M'
is '.. and the smallest change that does' 'got fits; got change' '0
--recompute act'
run '.. which then fits' 0 'plan deep $D --mem 80M $(got change) && [ "$(got fits)" = 1 ] && [ -z "$(got change)" ]'
run '.. fewer rows too' 0 'plan deep $D --mem 16M; [ $? = 1 ] && c=$(got change) && case $c in "--micro "*" --recompute block") plan deep $D --mem 16M $c ;; *) exit 1 ;; esac'
is '.. told to people' 'lm-plan -m deep $D --mem 80M --recompute none | grep -A 1 " fits "' '  fits                            no
  would fit: --recompute act'
is '.. or nothing does' 'plan deep $D --mem 100K; echo $?; got change' '1
'
like '.. told to people too' 'lm-plan -m deep $D --mem 100K' 'would fit: nothing; the model is too large'
if [ "${CONF:-release}" = release ]; then
    # the address space of the process is its memory
    # shellcheck disable=SC3045
    refused() { c=$(got change) && (ulimit -v "$1" && shift && exec lm-train -q -m deep -o never "$@" train) 2>msg; s=$?; [ $s = 5 ] && [ -n "$c" ] && grep -e "memory: training takes [0-9]* MB, there are [0-9]*: $c takes" msg && [ ! -e never/latest ]; }
    run 'lm-train in as much memory refuses it by the same words' 0 'plan deep $D --recompute none --mem $((60000 * 1024)); [ $? = 1 ] && refused 60000 $D --recompute none'
    run '.. of rows too' 0 'B="-j 1 --seq 64 --batch-tokens 32768 --micro 512 --steps 1"; plan deep $B --mem $((80000 * 1024)); [ $? = 1 ] && refused 80000 $B'
    run '.. and takes what fits' 0 'plan deep $D --mem $((140000 * 1024)) && c=$(got recompute) && (ulimit -v 140000 && lm-train -v -m deep -o fits $D train 2>&1) | grep " MB for training, recompute $c$"'
fi

# --- refusals of lm-train
run 'options are those of lm-train' 0 'lm-train --help=tsv | sed 1d | grep -v "	output	" >a; lm-plan --help=tsv | sed 1d | grep -v "	\(output\|ranks\|mem\|tsv\)	" | cmp a -'
fails 'batch and micro must fit' 2 'plan qwen3 --seq 16 --batch-tokens 100' 'no multiple'
fails 'rows longer than the context' 3 'plan qwen3 --seq 128' 'context is 64'
fails 'a pattern that finds nothing' 2 'plan qwen3 $recipe --freeze lm_haed' 'no tensor has such a name'
fails 'steps and tokens at once' 2 'plan qwen3 --steps 1 --tokens 2' 'at once'
fails 'no model' 2 'lm-plan --seq 16' 'm MODEL is needed'
fails 'no config.json' 5 'plan nowhere --seq 16' 'nowhere/config.json'
cp -r qwen3 other; printf '{}' >other/tokenizer.json
fails 'shards of another vocabulary' 3 'plan other $recipe train' 'train/00000.lm: mismatch: vocab='
fails 'fine-tuning on data without weights' 3 'plan qwen3 $recipe --loss sft train' 'no token is marked as a prompt'
done_testing
