#!/bin/sh
# lm-objective leaves out what it asks for and nothing else, by id alone.
. "${0%/*}/t.sh"

awk 'BEGIN { for (i = 0; i < 400; i++) { f = "f" i; for (k = 0; k < 1 + i % 90; k++) printf "word%d of %d, ", k, i > f; close(f) } }'
lm-import f? f?? f??? >in.lm
lm-bpe-train -q -o tok --vocab-size 900 --reserve 512 --pad-to 1 --allow-short in.lm
lm-tok --vocab tok in.lm >in.tok

text() { lm-detok --vocab tok --special text | awk '/^@/ { getline line; print line }'; }
# Puts the spans back where their masks stand.
restore()
{
    awk '{ sub(/^<\|mode_[rxs]\|>/, ""); end = sub(/<\|endoftext\|>$/, ""); s = $0; n = 0
        while (match(s, /<\|mask_[0-9]+\|>/)) {
            part[n++] = substr(s, 1, RSTART - 1); name[n] = substr(s, RSTART, RLENGTH); s = substr(s, RSTART + RLENGTH)
        }
        part[n] = s; k = n / 2; t = part[0]                        # k gaps, the first span behind mask k + 1
        for (i = 1; i <= k; i++) { if (name[i] != name[k + i]) t = "masks differ"; t = t part[k + i] (i < k ? part[i] : "") }
        if (k && part[k] != "") t = "text before the spans"
        print t (end ? "<|endoftext|>" : "") }'
}
text <in.tok >want
for mix in ul2 ul2r span prefix; do
    run "$mix: spans and gaps are the text" 0 "lm-objective --vocab tok --mix $mix in.tok | text | restore | cmp - want"
done
run '.. of many tokens left out' 0 'lm-objective --vocab tok --mix span --span 5 --rate .8 in.tok | text | restore | cmp - want'
run '.. without modes' 0 'lm-objective --vocab tok --mode-tokens off in.tok | text | restore | cmp - want'
run '-j changes nothing' 0 'lm-objective -j 1 --vocab tok in.tok >1; lm-objective -j 3 --vocab tok in.tok | cmp - 1'
run 'nor does the order' 0 'lm-objective --vocab tok in.tok | lm-canon | lm-shuffle >1; lm-shuffle -s 4 in.tok | lm-objective --vocab tok | lm-canon | lm-shuffle | cmp - 1'
run 'another seed draws otherwise' 1 'lm-objective -s 1 --vocab tok in.tok >1; lm-objective -s 2 --vocab tok in.tok | cmp - 1'
shares() { lm-objective --vocab tok --mix "$1" in.tok | text | sed 's/^<|mode_\(.\).*/\1/' | sort | uniq -c | awk '{ print $2, $1 }'; }
# 400 texts: 114, 229, 57 of ul2 and 100, 100, 200 of ul2r are expected; three deviations are 27, 30, 21; 26, 26, 30
run 'shares of ul2' 0 'shares ul2 | awk "/r/ && (\$2 < 87 || \$2 > 141) || /s/ && (\$2 < 36 || \$2 > 78) { exit 1 } { n += \$2 } END { exit n != 400 }"'
run 'shares of ul2r' 0 'shares ul2r | awk "/[rx]/ && (\$2 < 74 || \$2 > 126) || /s/ && (\$2 < 170 || \$2 > 230) { exit 1 } { n += \$2 } END { exit n != 400 }"'

# weights: what stands before the prefix is 0, all behind it 1
stream id=1 'one two three four five six seven' | lm-tok --vocab tok >one.tok
is 'weights: none before the prefix, all behind it' \
    'lm-objective --vocab tok --mix prefix one.tok >p; n=$(lm-ls -k shape p) k=$(lm-ls -k prefix p); sed -n "s/^@tok \([0-9]*\).*/\1/p" p >len
     tail -c +$(($(grep -a -b ^@tok p | head -n 1 | cut -d: -f1) + $(grep -a ^@tok p | wc -c) + 1)) p | head -c "$(cat len)" | tail -c "$n" | od -An -v -tu1 |
     tr -s " " "\n" | grep . | awk -v k="$k" "NR <= k && \$1 != 0 || NR > k && \$1 != 1 { bad++ } END { print NR, bad + 0 }" | sed "s/^$n /all /"' 'all 0'
is 'long texts are pieces' 'awk "BEGIN { for (i = 0; i < 3000; i++) printf \"%d \", i % 10 }" | lm-import - | lm-tok --vocab tok | lm-objective --vocab tok --mix span --rate .5 | lm-ls -k sub | tr "\n" " "' '0 1 2 3 '
is 'one token stays' 'stream id=1 "" | lm-tok --vocab tok >e; lm-objective --vocab tok e | cmp - e && echo same' same
fails 'another vocabulary' 3 'lm-bpe-train -q -o other --pretok gpt2 --vocab-size 800 --reserve 512 --pad-to 1 --allow-short in.lm; lm-objective --vocab other in.tok' 'vocab='
fails 'denoised twice' 3 'lm-objective --vocab tok in.tok | lm-objective --vocab tok' 'denoised already'
fails 'packed before' 3 'lm-pack --seq 64 in.tok | lm-objective --vocab tok' 'lm-pack comes after'
fails 'a vocabulary without masks' 3 'lm-bpe-train -q -o small --vocab-size 300 --reserve 16 --pad-to 1 --allow-short in.lm; lm-tok --vocab small in.lm | lm-objective --vocab small' 'mask_0'
fails 'a vocabulary without modes' 3 'lm-bpe-train -q -o small --vocab-size 300 --reserve 8 --pad-to 1 --allow-short in.lm; lm-tok --vocab small in.lm | lm-objective --vocab small' 'mode_r'
fails 'no vocabulary' 2 'lm-objective in.tok' 'no --vocab'
done_testing
