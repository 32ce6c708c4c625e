#!/bin/sh
# The example that compares filling in with completing, in small: of texts whose end tells what their middle was, a
# model trained on cut texts finds the middle, and one trained on whole texts can not. The bits are equal everywhere.
. "${0%/*}/t.sh"
skip_without lm-bpe-train lm-fim lm-tok lm-pack lm-shard lm-init lm-train lm-eval lm-gen lm-metrics python3
unset LM_PROV MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
docs() # N SEED: documents of five lines; the third can be told from the fourth alone
{
    awk -v n="$1" -v s="$2" 'function r(k) { s = (s * 16807) % 2147483647; return int(s / 2147483647 * k) }
        BEGIN {
            split("amber brick cedar delta eagle flint grape hazel ivory joker koala lemon mango noble olive pearl", w, " ")
            print "%lm 1"
            for (i = 0; i < n; i++) {
                x = ""; for (k = 0; k < 6; k++) x = x sprintf("%c", 97 + r(26))
                c = w[1 + r(16)]; t = "begin\nnote " x "\nanswer is " c "\nend of " c "\ndone\n"
                printf "@doc %d id=%032d\n%s\n", length(t), i, t; b += length(t)
            }
            printf "%%end n=%d b=%d\n", n, b
        }'
}
mkdir data && docs 3000 1 >data/train.lm && docs 60 2 >data/valid.lm && docs 150 3 >data/test.lm
infill()
{
    make -s -C "$ROOT/examples/infill" O="$T/infill" DATA="$T/data" VOCAB=384 SEQ=128 SHAPE='--layers 2 --dim 64 --head-dim 32 --ffn 128' \
        RECIPE='--batch-tokens 1024 --micro 8 --warmup 3%' FIRST='--steps 60 --lr 1e-2' MORE='--steps 600 --lr 1e-2 --decay 50%' "$@"
}
run 'the example runs' 0 'infill all'
mark() { awk -v o="$1" -v c="$2" '$1 == o && $2 == c { print $5 }' infill/report.txt; }
for c in line char one; do
    for o in spm psm; do
        note "$o $c: $(grep "^  $o *$c " infill/report.txt)"
        run "$c, $o: the true middle is likelier by more than three standard errors" 0 "[ \"\$(mark $o $c | cut -d. -f1)\" -lt -3 ]"
    done
done
exact() { sed -n "s/^Single lines.* $1 \([0-9]*\) (.*/\1/p" infill/report.txt; }
run 'and lm-gen --fim fills in what completing does not find' 0 '[ "$(exact spm)" -gt 100 ] && [ "$(exact psm)" -gt 100 ] && [ "$(exact plain)" -lt 50 ]'
note "$(tail -n 3 infill/report.txt | head -n 1)"
touch -r infill/fim/trained mark
run 'once more makes nothing anew' 0 'infill all && [ ! infill/fim/trained -nt mark ]'
done_testing
