#!/bin/sh
# lm-where: from a training step to its documents and bytes.
. "${0%/*}/t.sh"

mkdir d && awk 'BEGIN { srand(5); for (i = 0; i < 200; i++) { n = 1 + int(exp(rand() * 6)); f = sprintf("d/f%03d.txt", i); s = sprintf("document %d, \303\251: ", i)
    for (k = 0; k < n; k++) s = s sprintf("w%d ", int(rand() * 90)); print s > f; close(f) } }'
lm-import d >docs.lm
lm-bpe-train -q -o tok --vocab-size 400 --reserve 8 --pad-to 1 --allow-short docs.lm
lm-tok --vocab tok docs.lm | lm-pack -q --seq 64 >rows.lm
lm-shard -q -o shards rows.lm
nrows=$(lm-ls rows.lm | wc -l)

# check SAMPLE: the bytes lm-where tells of are the text of that row of tokens
bytes_of() { while IFS='	' read -r _ _ _ _ _ _ _ path lo hi; do tail -c +$((lo + 1)) "d/$path" | head -c $((hi - lo)); done; }
check()
{
    awk -F '\t' -v s="$1" '$2 == s' steps >of
    bytes_of <of >have
    lm-head -n 1 --skip "$(sed q of | cut -f 3)" rows.lm | lm-detok --vocab tok --text >want
    cmp -s have want || { echo "sample $1 differs"; return 1; }
}
run 'steps of two epochs are told' 0 'lm-where --batch 2 -s 9 --docs docs.lm --vocab tok shards 1-$((nrows)) >steps'
is '.. every row twice, every step two rows' 'cut -f 3 steps | sort | uniq -c | awk "{ print NR }" | tail -n 1; cut -f 1,2 steps | sort -u | wc -l' "$nrows
$((2 * nrows))"
run 'the bytes of 100 rows are their tokens' 0 'awk -v n="$nrows" "BEGIN { srand(2); for (i = 0; i < 100; i++) print int(rand() * 2 * n) }" | while read -r s; do check "$s" || exit 1; done'
is 'all bytes of all documents are told once an epoch' \
    'lm-where --batch "$nrows" --docs docs.lm --vocab tok shards 1 | awk -F "\t" "{ n += \$10 - \$9 } END { print n }"' "$(cat d/* | wc -c)"
is 'in the order of the shards' 'lm-where --shuffle none --batch 1 shards 3 | cut -f 1-3 | sort -u' '3	2	2'
run 'the first lines are the same without the documents' 0 'lm-where --batch 2 -s 9 shards 1-$((nrows)) | cmp - - && cut -f 1-7 steps >a; lm-where --batch 2 -s 9 shards 1-$((nrows)) | cmp - a'
is 'a step of --batch-tokens' 'lm-where --batch-tokens 256 shards 5 | cut -f 2 | sort -nu | tr "\n" " "' '16 17 18 19 '
lm-fim --rate 1 docs.lm >fim.lm
lm-tok --vocab tok fim.lm | lm-pack -q --seq 64 | lm-shard -q -o fim
run 'documents cut for filling in: as lm-tok was given them' 0 'lm-where --batch 1 --docs fim.lm --vocab tok fim 1-9 | awk -F "\t" "\$8 == \"-\" { exit 1 }"'
is 'a mixture: three of four rows are of the first set' \
    'lm-where --mix 3,1 --batch 4096 shards fim 1 | cut -f 2,3 | sort -un | awk -v n="$nrows" "\$2 < n { k++ } END { print NR, k }"' '4096 3072'
fails 'a weight for each set' 2 'lm-where --mix 1 shards fim 1' 'want 2 numbers'
fails 'a weight too small' 2 'lm-where --mix 1,.0001 shards fim 1' 'too small'
fails '.. not as they were before' 3 'lm-where --batch 1 --docs docs.lm --vocab tok fim 1-9' 'pieces are not in these documents'
fails 'documents that are not there' 3 'lm-head -n 3 docs.lm >few.lm; lm-where --batch 4 --docs few.lm --vocab tok shards 1-5' 'mismatch: .* of .* pieces'
fails 'another vocabulary' 3 'lm-bpe-train -q -o other --pretok gpt2 --vocab-size 300 --reserve 8 --pad-to 1 --allow-short docs.lm; lm-where --docs docs.lm --vocab other shards 1' 'vocab='
fails 'step 0' 2 'lm-where shards 0' 'a step from 1 on'
fails 'a range that falls' 2 'lm-where shards 3-2' 'a step from 1 on'
fails 'documents without a vocabulary' 2 'lm-where --docs docs.lm shards 1' 'go together'
fails 'no shards' 5 'lm-where nowhere 1' 'nowhere'
done_testing
