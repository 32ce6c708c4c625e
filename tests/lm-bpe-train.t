#!/bin/sh
# lm-bpe-train learns the merges the rules ask for, and writes them where it was told, whole.
. "${0%/*}/t.sh"
doc() { printf '%%lm 1\n@doc %d%s\n%s\n%%end n=1 b=%d\n' "${#1}" "${2:+ $2}" "$1" "${#1}"; }
tokens() { lm-vocab --tsv "$1" | awk '$2 == "token" && $1 > 255 { print $3 }' | tr '\n' ' '; }
small='lm-bpe-train --reserve 8 --pad-to 1'

doc 'low low low lower lowest newest newest' >in.lm

# --- the rules
is 'the commonest pair first, of equals the lesser left id, then the lesser right id' \
    "$small -o v --vocab-size 268 in.lm && tokens v" 'lo low %20low es '
is 'an overlapping run is merged from the left' \
    "doc aaaaaa | $small -o v --vocab-size 266 && tokens v" 'aa aaaa '
is 'a byte of any value has an id, in the order of the byte-level characters' \
    "lm-vocab --tsv v | sed -n '1p;94p;95p;188p;189p;256p' | tr '\n' ' '" '0	token	! 93	token	~ 94	token	%A1 187	token	%FF 188	token	%00 255	token	%AD '
is 'qwen2 takes digits one by one' "doc '11 11 11 11 xyxy' | $small -o v --vocab-size 266 && tokens v" 'xy %20xy '
is 'gpt2 takes them together' "doc '11 11 11 11 xyxy' | $small -o v --pretok gpt2 --vocab-size 265 && tokens v" '11 '
is 'cl100k takes up to three' \
    "doc '1111 1111' | $small -o v --pretok cl100k --vocab-size 266 && tokens v" '11 111 '
is '--lines: a line feed never joins what follows it' \
    "doc 'a

 b
 b
 b' | $small -o v --lines --vocab-size 265 && tokens v" '%20b '
is '--min-frequency stops before rare pairs' \
    "$small -o v --vocab-size 280 --min-frequency 4 --allow-short in.lm && tokens v" 'lo low %20low '
is '--max-token-bytes makes no longer token' \
    "$small -o v --vocab-size 280 --max-token-bytes 3 --allow-short in.lm && lm-vocab --tsv v |
     awk '\$2 == \"token\" { gsub(/%../, \"x\", \$3); if (length(\$3) > n) n = length(\$3) } END { print n }'" 3
is '--alphabet seen starts from the bytes that occur' \
    "doc 'abab' | lm-bpe-train -o v --reserve 1 --pad-to 1 --vocab-size 261 --alphabet seen --allow-short &&
     lm-vocab --tsv v | cut -f 3 | tr '\n' ' '" 'a b ab abab <|endoftext|> '

# --- sizes and names
is 'the size is rounded up to --pad-to' "lm-bpe-train -o v --vocab-size 257 --reserve 8 --pad-to 27 in.lm; lm-vocab v | head -n 1" 'size	270'
is '--allow-short fills up with reserved tokens' \
    "doc ab | lm-bpe-train -o v --vocab-size 300 --reserve 14 --pad-to 16 --allow-short; lm-vocab v | head -n 4 | cut -f 2 | tr '\n' ' '" \
    '272 257 0 15 '
printf 'alpha\nbeta\n' >names
is '--specials names tokens from the twelfth on' \
    "lm-bpe-train -o v --vocab-size 272 --reserve 15 --specials names --pad-to 1 in.lm; lm-vocab --tsv v | tail -n 4 | cut -f 3 | tr '\n' ' '" \
    '<|mode_s|> alpha beta <|reserved_14|> '
fails 'more names than room' 3 "lm-bpe-train -o w --vocab-size 272 --reserve 13 --specials names --pad-to 1 in.lm" 'more names'
printf 'a\na\n' >names
fails 'a name given twice' 3 "lm-bpe-train -o w --vocab-size 272 --reserve 15 --specials names --pad-to 1 in.lm" 'named twice'
is 'the reserved tokens of the default' \
    "head -c 400000 /dev/urandom | base64 | lm-import - | lm-bpe-train -o v --vocab-size 2048; lm-vocab --tsv v | tail -n 512 | cut -f 3 | sed -n '1,13p;256,257p;512p' | tr '\n' ' '" \
    '<|endoftext|> <|fim_prefix|> <|fim_middle|> <|fim_suffix|> <|fim_pad|> <|repo_name|> <|file_sep|> <|im_start|> <|im_end|> <|mode_r|> <|mode_x|> <|mode_s|> <|reserved_12|> <|reserved_255|> <|mask_0|> <|mask_255|> '

# --- which documents, how often
stream 'id=00000000000000000000000000000001 lang=c' 'ababab cdcd' 'id=00000000000000000000000000000002 lang=go' 'cdcd cdcd' \
    @zz 'xyxyxyxyxyxy' >two.lm
is 'other records pass by' "$small -o v --vocab-size 265 two.lm && tokens v" 'cd '
printf '# weights\nlang=c 4\nlang=go 0\n' >w
is '--weights: a document counts as often as its line says' \
    "$small -o v --vocab-size 265 --weights w two.lm && tokens v" 'ab '
printf 'lang=c\n' >bad
fails 'a weight that is none' 3 "$small -o v --vocab-size 265 --weights bad two.lm" 'entry 1 is not'
fails '--sample 0 leaves nothing' 3 "$small -o w --vocab-size 265 --sample 0 two.lm" 'no document'
seq 1 400 | awk 'BEGIN { print "%lm 1" } { printf "@doc 2 id=%032x\nx%c\n", $1, 97 + $1 % 26 } END { print "%end n=400 b=800" }' >many.lm
is '--sample takes its share, by id and seed alone' \
    'lm-bpe-train --sample .25 --counts-out c1 many.lm && lm-bpe-train --sample .25 -j 7 --counts-out c2 many.lm && cmp c1 c2 &&
     lm-bpe-train --sample .25 -s 1 --counts-out c3 many.lm && ! cmp -s c1 c3 && echo other' 'other'

# --- counts
run 'counts can be written without a vocabulary' 0 'lm-bpe-train --counts-out c.lm two.lm'
is 'they tell how they were made' 'heads c.lm' '@words 64 n=3 dt=u8 shape=15 with=end:u64:3,freq:u64:3 pretok=qwen2 lines=0'
lm-bpe-train --counts-out a.lm two.lm && lm-bpe-train --counts-out b.lm in.lm
$small -o v1 --vocab-size 270 two.lm in.lm
$small -o v2 --vocab-size 270 --counts-in b.lm --counts-in a.lm
bytes 'counts of several files, in any order, make the vocabulary of all documents' v1/tokenizer.json v2/tokenizer.json
lm-bpe-train --counts-in a.lm --counts-in b.lm --counts-out ab.lm
$small -o v3 --vocab-size 270 --counts-in ab.lm
bytes 'joined counts too' v1/tokenizer.json v3/tokenizer.json
fails 'counts of another pattern are refused' 3 "$small -o w --pretok gpt2 --vocab-size 270 --counts-in a.lm" 'mismatch.*qwen2'
fails 'counts by lines too' 3 "$small -o w --lines --vocab-size 270 --counts-in a.lm" 'mismatch'
fails 'counts and documents do not go together' 2 "$small -o w --counts-in a.lm in.lm" 'counts-in'
printf 'lang=c 1.5\n' >w
lm-bpe-train --weights w --counts-out h.lm two.lm
like 'half weights are kept in units of 1/256' 'heads h.lm' 'unit=256'
$small -o v4 --vocab-size 266 --weights w two.lm && $small -o v5 --vocab-size 266 --counts-in h.lm
bytes 'and read back' v4/tokenizer.json v5/tokenizer.json
stream '@words n=1 dt=u8 shape=2 with=end:u64:1,freq:u64:1' abcdefghijklmnopqrstuvwx >bad.lm      # end beyond the text
fails 'a damaged record of counts is refused' 3 "$small -o w --counts-in bad.lm --vocab-size 265" 'invalid'
# shellcheck disable=SC2059 # an escape made of a number
le() { printf "\\$(printf %o "$1")\\0\\0\\0\\0\\0\\0\\0"; }      # a u64
counts() { printf '%%lm 1\n@words 40 n=2 dt=u8 shape=4 with=end:u64:2,freq:u64:2\n%s\0\0\0\0' "$1"; le "$2"; le 4; le "$3"; le 1; printf '\n%%end n=1 b=40\n'; }
counts abbc 2 1 >c.lm && run 'a record made by hand is taken' 0 "$small -o hand --allow-short --counts-in c.lm --vocab-size 265"
counts bcab 2 1 >c.lm && fails 'words that are not in order' 3 "$small -o none --counts-in c.lm --vocab-size 265" 'word 1: not in order'
counts abbc 4 1 >c.lm && fails 'an empty word' 3 "$small -o none --counts-in c.lm --vocab-size 265" 'word 1: end'
counts abbc 2 0 >c.lm && fails 'a count of 0' 3 "$small -o none --counts-in c.lm --vocab-size 265" 'word 0: end or count'

# --- what must not change the result: parts, threads, memory, how the input comes
lm-import "$ROOT/lib" "$ROOT/bin" "$ROOT/tests" | lm-select -e 'enc == "ascii" | enc == "utf8"' >code.lm
printf 'ext=c 1.25\next=h 3\n' >w
lm-split -o parts --names 1,2,3,4,5,6,7 1:1:1:1:1:1:1 code.lm
for how in '' '--weights w' '--lines --pretok gpt2'; do
    cut=$(echo "$how" | sed 's/--weights w//')
    in='' && for i in 1 2 3 4 5 6 7; do
        # shellcheck disable=SC2086 # words
        lm-bpe-train $how --counts-out c$i.lm parts/$i.lm
        in="--counts-in c$i.lm $in"
    done
    # shellcheck disable=SC2086 # words
    lm-bpe-train $how -o v1 --vocab-size 2048 --counts-out call.lm code.lm
    # shellcheck disable=SC2086 # words
    lm-bpe-train $cut -o v2 --vocab-size 2048 --counts-out cin.lm $in
    bytes "seven parts, counted apart and merged: the same vocabulary${how:+, $how}" v1/tokenizer.json v2/tokenizer.json
    bytes "and the same counts${how:+, $how}" call.lm cin.lm
done
lm-bpe-train -o v1 --vocab-size 2048 code.lm
for how in '-j 1' '-j 7' '-m 16M -j 16'; do
    # shellcheck disable=SC2086 # words
    lm-bpe-train $how -o v2 --vocab-size 2048 code.lm
    bytes "$how: the same vocabulary" v1/tokenizer.json v2/tokenizer.json
done
bytes 'documents in another order too' v1/tokenizer.json "$(lm-shuffle code.lm | lm-bpe-train -o v2 --vocab-size 2048; echo v2/tokenizer.json)"
# Some 400,000 different words: more than fits in 16 MiB.
seq 1000 400000 >numbers && lm-import --max-bytes 1G numbers numbers >many.lm
numbers='lm-bpe-train --pretok gpt2 --vocab-size 1024'
mkdir spill
$numbers -o v1 --counts-out call.lm -m 1G many.lm
$numbers -o v2 --counts-out cin.lm -m 16M --tmp spill many.lm
bytes '-m: words that went through a file: the same vocabulary' v1/tokenizer.json v2/tokenizer.json
bytes 'the same counts' call.lm cin.lm
is 'nothing is left in --tmp' 'ls spill' ''
$numbers -o v2 --counts-in call.lm -m 16M --tmp spill
bytes '-m with --counts-in' v1/tokenizer.json v2/tokenizer.json
fails 'a folder of --tmp that is not there is told when it is needed' 5 "$numbers -o none -m 16M --tmp nowhere many.lm" 'io: .*temporary file'
if [ -e "$ROOT/build/$CONF/shim.so" ]; then
    for n in 0 300000 5000000; do
        fails "the disk fills after $n bytes of spilled words" 5 "LD_PRELOAD=$ROOT/build/$CONF/shim.so FAULT_ENOSPC=$n $numbers -o none -m 16M --tmp spill many.lm" 'io: '
    done
    is 'and leaves nothing' 'ls spill; ls -d none 2>/dev/null' ''
fi

# --- --hf-quirks
is '--hf-quirks: --max-token-bytes is one more than a token may have' \
    "doc 'abcd abcd' | $small -o v --hf-quirks --max-token-bytes 4 --allow-short --vocab-size 280 && tokens v" 'ab cd %20ab '
printf 'abc\n' >names
run 'a token with the name of a reserved one is that one' 0 \
    "doc 'abc abc abc' | lm-bpe-train -o v --hf-quirks --reserve 13 --specials names --pad-to 1 --vocab-size 271 --allow-short &&
     grep -q '\"abc\": 270\$' v/tokenizer.json && ! grep -q '\"abc\": 25' v/tokenizer.json"
both() { for s in text parse; do doc 'abc abcd' | lm-tok --eos off --check 1 --special $s --vocab v >$s.tok && "$@" $s.tok; done; }
shape() { sed -n 's/^@tok.* shape=\([0-9]*\).*/\1/p' "$1"; }
is 'plain text becomes it by the merges, as well as where it is looked for' 'both shape' '3
4'
is 'and comes back' 'both lm-detok --text --special text --vocab v' 'abc abcdabc abcd'
like 'lm-vocab-check tells of it' 'lm-vocab-check --tsv v' '^special	270		270	abc'
for to in tiktoken gguf; do
    fails "$to has no way to say so" 3 "lm-vocab-convert --to $to -o none v" 'merges make the added token "abc"'
done

# --- the directory
is 'nothing is left of a run that fails' "$small -o w --vocab-size 4000 in.lm; ls -d w*" 'w'
fails 'too few merges' 3 "$small -o none --vocab-size 4000 in.lm" 'allow-short'
run 'no directory then' 1 'test -e none'
fails 'an empty stream' 3 "printf '%%lm 1\n%%end n=0 b=0\n' | $small -o none --vocab-size 270" 'no document'
fails 'no room for the bytes' 2 'lm-bpe-train -o none --vocab-size 300 in.lm' 'no room'
fails 'no -o' 2 'lm-bpe-train in.lm' 'no -o'
is 'a second run replaces the first' "$small -o v --vocab-size 265 in.lm && $small -o v --vocab-size 266 in.lm && lm-vocab v | head -n 1; ls v | tr '\n' ' '" \
    'size	266
tokenizer.json tokenizer_config.json '
done_testing
