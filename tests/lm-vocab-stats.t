#!/bin/sh
# lm-vocab-stats adds up what lm-tok makes of documents.
. "${0%/*}/t.sh"
stream lang=c 'low low lower lowest' ext=py 'slow low' '' 'low' lang=c '' 'lang=c ext=h' 'lowlow' >docs.lm
lm-bpe-train -o v --vocab-size 264 --reserve 6 --pad-to 1 docs.lm
stats() { lm-vocab-stats --vocab v "$@"; }
want='total 5 37 19 1.9474
lang c 3 26 14 1.8571
lang py 1 8 4 2.0000
lang - 1 3 1 3.0000'
is 'by language, the largest first' 'stats --tsv docs.lm | grep "^total\|^lang" | tr "\t" " "' "$want"
is 'the sums are those of lm-tok' \
    'lm-tok --vocab v --eos off docs.lm | lm-ls -k shape | awk "{ n += \$1 } END { print n }"' 19
is 'ids are counted as documents are' \
    'lm-tok --vocab v --eos off docs.lm | stats --tsv | grep "^total\|^lang" | tr "\t" " "' "$want"
is 'special tokens stand for no bytes' 'lm-tok --vocab v docs.lm | stats --tsv | head -n 1 | tr "\t" " "' 'total 5 37 24 1.5417'
is 'the commonest tokens first' 'stats --tsv docs.lm | grep ^token | head -n 3 | tr "\t" " "' 'token 257 9 token low
token 220 4 token %20
token 68 2 token e'
is 'every token has its line' 'stats --tsv docs.lm | grep -c ^token' 264
is 'their uses are the tokens' 'stats --tsv docs.lm | awk "/^token/ { n += \$3 } END { print n }"' 19
is 'as many are listed as -n says' 'stats -n 3 docs.lm | tail -n 4' '       0  !
       1  "
       2  #
          and 249 more'
is 'parts of a document are encoded alone' \
    'stream fim=pre:2,suf:2,mid:2 lowlow | stats --tsv | head -n 1 | tr "\t" " "' 'total 1 6 8 0.7500'
lm-import "$ROOT/bin" >more.lm
stats --tsv -j 1 more.lm >one
run 'threads change nothing' 0 'stats --tsv -j 5 more.lm | cmp - one'
run 'nor does the cache' 0 'stats --tsv --cache 0 more.lm | cmp - one'
run 'nor the order of documents' 0 'lm-shuffle more.lm | stats --tsv | cmp - one'
is 'no document at all' 'stream | stats --tsv | head -n 1 | tr "\t" " "' 'total 0 0 0 0.0000'
fails 'ids of another vocabulary' 3 \
    'lm-bpe-train -o w --vocab-size 263 --reserve 6 --pad-to 1 docs.lm; lm-tok --vocab w docs.lm | stats' 'mismatch: vocab='
fails 'no vocabulary' 2 'lm-vocab-stats docs.lm' 'no --vocab'
lm-bpe-train -o few --alphabet seen --vocab-size 12 --reserve 1 --pad-to 1 docs.lm
fails 'a byte the vocabulary lacks, and where' 3 'stream path=x "low x" | lm-vocab-stats --vocab few' 'stdin:0:6: invalid: byte 0x78'
done_testing
