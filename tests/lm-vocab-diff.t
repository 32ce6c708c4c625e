#!/bin/sh
# lm-vocab-diff tells every kind of difference, and none where there is none.
. "${0%/*}/t.sh"
printf 'low low low lower lowest\n' >text
lm-import text | lm-bpe-train -o v --vocab-size 272 --reserve 12 --pad-to 1
run 'a vocabulary and itself' 0 'lm-vocab-diff v v'
is 'have no difference' 'lm-vocab-diff v v' ''
# differ NAME SED ROWS: v and v changed
differ()
{
    rm -rf b
    mkdir b
    sed "$2" v/tokenizer.json >b/tokenizer.json
    cp v/tokenizer_config.json b/
    run "$1: exit 1" 1 'lm-vocab-diff v b'
    is "$1: what is told" 'lm-vocab-diff --tsv v b | grep -v ^vocab | tr "\t" " "' "$3"
}
differ 'another pattern' 's/\\\\p{N}|/\\\\p{N}{1,3}|/' 'pattern qwen2 cl100k'
differ 'a normalizer' 's/"normalizer": null/"normalizer": {"type": "NFC"}/' 'normalizer none NFC'
differ 'whole words first' 's/"ignore_merges": false/"ignore_merges": true/' 'ignore-merges no yes'
differ 'two ids changed about' 's/"lo": 256/"lo": 257/; s/"low": 257/"low": 256/' 'id 256 257 lo
id 257 256 low'
differ 'other merges of the same tokens' 's/^        "Ġlow"/        "Ġ"/; s/^        "e"$/        "low"/' 'merge %20low e %20 low 3'
differ 'a token more' 's/"Ġlowe": 259/&,\n      "xyz": 300/' 'size 272 301
only-b  300 xyz'
is 'a token less' 'lm-vocab-diff --tsv b v | grep only | tr "\t" " "' 'only-a 300  xyz'
differ 'an added token that is no control token' '/<|mode_s|>/,/}/s/"special": true/"special": false/' 'kind special added <|mode_s|>'
lm-import text | lm-bpe-train -o small --vocab-size 270 --reserve 12 --pad-to 1
is 'roles, merges' 'lm-vocab-diff small v | grep "^eos\|^merge" | tr "\t" " "' 'eos 258 <|endoftext|> 260 <|endoftext|>
merges 2 4
merge  %20 low 2'
is '-n cuts a list' 'lm-vocab-diff -n 2 small v | grep ^id | tr "\t" " "' 'id 258 260 <|endoftext|>
id 259 261 <|fim_prefix|>
id   and 10 more'
is '--tsv does not' 'lm-vocab-diff -n 2 --tsv small v | grep -c ^id' 12
sed 's/^/ /' v/tokenizer.json >b/tokenizer.json
run 'another layout of the file is no difference' 0 'lm-vocab-diff v b'
is 'but is told' 'lm-vocab-diff v b | cut -f 1' vocab
run 'roles by the usual names are the same' 0 'lm-vocab-diff v v/tokenizer.json'
fails 'a missing one' 5 'lm-vocab-diff v none' 'none'
done_testing
