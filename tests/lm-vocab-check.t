#!/bin/sh
# lm-vocab-check finds each thing that can be wrong with a vocabulary, and nothing in one of our own.
. "${0%/*}/t.sh"
printf 'low low low lower lowest\n' >text
lm-import text | lm-bpe-train -o v --vocab-size 272 --reserve 12 --pad-to 1
run 'a trained vocabulary holds together' 0 'lm-vocab-check v'
is 'every claim was tried' 'lm-vocab-check v | cut -f 1-4 | tr "\t\n" "  "' \
    'bytes 256 0 holds unique 4 0 holds reach 4 0 holds order 4 0 holds ids 4 0 holds special 12 0 holds trip 272 0 holds '
is 'then --tsv is empty' 'lm-vocab-check --tsv v' ''
is 'the tokens the cases below are about' 'lm-vocab --tsv v | sed -n "257,260p" | cut -f 1,3 | tr "\t\n" "  "' \
    '256 lo 257 low 258 %20low 259 %20lowe '
# finds NAME SED CHECK ROWS: a claim fails of v changed by SED
finds()
{
    rm -rf b
    mkdir b
    sed "$2" v/tokenizer.json >b/tokenizer.json
    run "$1: exit 1" 1 'lm-vocab-check b'
    is "$1: what was found" "lm-vocab-check --tsv b | grep '^$3' | tr '\t' ' '" "$4"
}
finds 'a byte that is no token' 's/"Ń": 255/"zz": 255/' bytes 'bytes 173   %AD '
finds 'a merge listed twice' 's/^        "Ġlow"/        "lo"/; s/^        "e"$/        "w"/' unique 'unique 257 3 1 low '
finds 'a token that no merge makes' 's/"Ġlowe": 259/&,\n      "xyz": 300/' reach 'reach 300   xyz 87,88,89'
like 'it is told in words too' 'lm-vocab-check b' '^  300 xyz: its bytes give 87,88,89$'
# lo + w before l + o: the merges still make low, but not in order
swap='s/^        "l",/        "@",/; s/^        "lo",/        "l",/; s/^        "@",/        "lo",/
    s/^        "o"$/        "@"/; s/^        "w"$/        "o"/; s/^        "@"$/        "w"/'
finds 'a merge before its parts' "$swap" order 'order 257 0 256 low '
finds 'a later merge of a lower id' "$swap" ids 'ids 256 1 257 lo '
is 'such merges still make the token' 'printf low | lm-import - | lm-tok --vocab b --eos off | lm-ls -k shape' 1
finds 'an added token spelt as another' 's/<|fim_pad|>/low/' special 'special 264  257 low '
finds 'tokens whose bytes cannot be encoded' 's/"x": 87/"zz": 87/' trip 'trip 260   <|endoftext|> 
trip 261   <|fim_prefix|> 
trip 263   <|fim_suffix|> 
trip 270   <|mode_x|> '
is 'as many as -n are listed' 'lm-vocab-check -n 1 b | sed -n "/^trip/,\$p" | tail -n 2' \
    '  260 <|endoftext|>: other bytes come back, or none
  and 3 more'
fails 'a damaged vocabulary is no negative answer' 3 'echo { >bad.json; lm-vocab-check bad.json' 'bad.json'
done_testing
