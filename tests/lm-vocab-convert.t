#!/bin/sh
# lm-vocab-convert takes a vocabulary through each form and back without loss, and refuses what would give other ids.
. "${0%/*}/t.sh"
lm-import "$ROOT/bin" >docs.lm
for pattern in qwen2 gpt2 starcoder cl100k o200k; do
    lm-bpe-train -o v-$pattern --vocab-size 1024 --reserve 64 --pretok $pattern docs.lm
    run "$pattern: to tiktoken" 0 "lm-vocab-convert v-$pattern --to tiktoken -o $pattern.tiktoken"
    run "$pattern: from tiktoken to GGUF" 0 "lm-vocab-convert $pattern.tiktoken --to gguf -o $pattern.gguf"
    run "$pattern: from GGUF" 0 "lm-vocab-convert $pattern.gguf -o back-$pattern"
    bytes "$pattern: the same tokenizer.json" v-$pattern/tokenizer.json back-$pattern/tokenizer.json
    bytes "$pattern: the same roles" v-$pattern/tokenizer_config.json back-$pattern/tokenizer_config.json
done
lm-bpe-train -o v-deep --vocab-size 1024 --reserve 64 --pretok deepseek-coder docs.lm
run 'a pattern of many steps goes to GGUF' 0 'lm-vocab-convert v-deep --to gguf -o deep.gguf && lm-vocab-convert deep.gguf -o back-deep'
bytes 'and comes back' v-deep/tokenizer.json back-deep/tokenizer.json
fails 'but not to tiktoken' 3 'lm-vocab-convert v-deep --to tiktoken -o x.tiktoken' 'v-deep: invalid: pattern deepseek-coder is no single regular expression'
is 'which leaves nothing' 'ls x*' ''
lm-bpe-train -o v-re --vocab-size 512 --reserve 8 --pretok 'regex:[a-z]+' docs.lm
fails 'a pattern of our own does not go to GGUF' 3 'lm-vocab-convert v-re --to gguf -o x.gguf' 'llama.cpp knows no pattern'
run 'a pattern that leaves text out goes to tiktoken, which gets the rest told' 0 'lm-vocab-convert v-re --to tiktoken -o re.tiktoken'
like 'as another alternative' 'cat re.json' '"pat_str": "\[a-z\]\+\|\(\?:\(\?!\[a-z\]\+\)\[\\\\s\\\\S\]\)\+"'

v="v-qwen2"
run 'a tokenizer.json alone is a vocabulary' 0 "lm-vocab-convert $v/tokenizer.json --to gguf -o a.gguf && cmp a.gguf qwen2.gguf"
run 'hf to hf copies' 0 "lm-vocab-convert $v -o copy && cmp $v/tokenizer.json copy/tokenizer.json"
run 'the same name may be written again' 0 "lm-vocab-convert $v -o copy && lm-vocab-convert $v --to gguf -o a.gguf"
run '--from says what is not guessed' 0 "lm-vocab-convert --from tiktoken qwen2.tiktoken --to tiktoken -o again.tiktoken && cmp again.tiktoken qwen2.tiktoken"
is 'the list and what stands beside it' 'sed -n "257p" qwen2.tiktoken | cut -d " " -f 2; grep -c explicit_n_vocab qwen2.json' '256
1'
is 'where ids are left out, their number is too' \
    "mkdir -p gap; sed 's/\"id\": 960,/\"id\": 5000,/' $v/tokenizer.json >gap/tokenizer.json; lm-vocab-convert gap --to tiktoken -o gap.tiktoken; grep -c explicit_n_vocab gap.json; lm-vocab-convert gap.tiktoken | lm-vocab gap.tiktoken 2>/dev/null; lm-vocab-convert gap.tiktoken -o gap2; lm-vocab gap2 | sed -n '1,4p'" \
    '0
size	5001
tokens	960
added	0
special	64'
run 'and go to GGUF and back' 0 'lm-vocab-convert gap2 --to gguf -o gap.gguf && lm-vocab-convert gap.gguf -o gap3 && cmp gap2/tokenizer.json gap3/tokenizer.json'

# what tiktoken would not encode alike. other NAME SED ERE
other()
{
    rm -rf o
    mkdir o
    sed "$2" $v/tokenizer.json >o/tokenizer.json
    fails "$1" 3 'lm-vocab-convert o --to tiktoken -o x.tiktoken' "$3"
}
other 'a normalizer' 's/"normalizer": null/"normalizer": {"type": "NFC"}/' 'form C'
other 'a byte without a token' 's/"Ń": 255/"zzzz": 255/' 'byte 0xAD is no token'
other 'an entry no merge reaches' 's/^    "vocab": {/&\n      "zqzq": 4000,/' 'no merge reaches 1 of the tokens'
other 'ids that are not ranks' 's/: 256,$/: @,/; s/: 257,$/: 256,/; s/: @,$/: 257,/' 'ids are not ranks'
run 'whole words first: such an entry goes' 0 \
    "sed 's/^    \"vocab\": {/&\n      \"zqzq\": 4000,/; s/\"ignore_merges\": false/\"ignore_merges\": true/' $v/tokenizer.json >o/tokenizer.json; lm-vocab-convert o --to tiktoken -o whole.tiktoken && lm-vocab-convert whole.tiktoken -o whole"
is 'and is known for one when read' 'grep ignore_merges whole/tokenizer.json' '    "ignore_merges": true,'
fails 'but llama.cpp has no such qwen2' 3 'lm-vocab-convert o --to gguf -o x.gguf' 'no merge reaches 1 of the tokens'

# lists of others
cp qwen2.tiktoken bare.tiktoken
fails 'a list that does not say its pattern' 3 'lm-vocab-convert bare.tiktoken -o x' 'bare.tiktoken: invalid: .*no bare.json'
run '--pretok tells it' 0 'lm-vocab-convert --pretok qwen2 bare.tiktoken -o bare'
is 'and there are no special tokens' 'lm-vocab bare | sed -n "1,4p"' 'size	960
tokens	960
added	0
special	0'
fails '--pretok is not for the others' 2 "lm-vocab-convert --pretok qwen2 $v -o x" 'says its pattern'
fails 'a file of no form' 3 'echo hello world >junk; lm-vocab-convert junk -o x' 'junk: invalid: .*--from'
list() { printf '%b' "$1" >l.tiktoken; fails "$2" 3 'lm-vocab-convert --from tiktoken --pretok qwen2 l.tiktoken -o x' "l.tiktoken: $3"; }
list 'YQ== 0\nYg== 0\n' 'a rank given twice' 'invalid: row 2: id 0 is given twice'
list 'YQ== 0\nYQ== 1\n' 'a token given twice' 'invalid: tokens 0 and 1 have the same bytes'
list 'YQ== 0\nYg 1\n' 'base64 that is cut' 'invalid: row 2 is not'
list 'YQ== 0\nYg== -1\n' 'a rank below 0' 'invalid: row 2 is not'
list 'YQ== 99999999\n' 'a rank beyond all ids' 'invalid: row 1: id 99999999'
list '' 'an empty list' 'invalid: no token'
meta() { printf '%s' "$1" >bare.json; fails "$2" 3 'lm-vocab-convert bare.tiktoken -o x' "bare.json: invalid: $3"; }
meta '{"special_tokens": {}}' 'no pattern beside a list' 'no "pat_str"'
meta '{"pat_str": "x", "special_tokens": {"<|a|>": "b"}}' 'a special token without an id' '.*has no id'
meta '{"pat_str": "(", "special_tokens": {}}' 'a pattern that is none' '.'
printf '{"pat_str": "x", "special_tokens": {"<|a|>": 3}}' >bare.json
fails 'a special token in place of another' 3 'lm-vocab-convert bare.tiktoken -o x' 'id 3 is given twice'
printf '{"pat_str": "x", "special_tokens": {"<|a|>": 3000}, "roles": {"eos": 7}}' >bare.json
fails 'a role no special token has' 3 'lm-vocab-convert bare.tiktoken -o x' 'role eos: id 7 is no added token'

# a GGUF file cut anywhere, or with another vocabulary inside
size=$(wc -c <qwen2.gguf)
is 'a GGUF file cut anywhere is refused' \
    "n=0; while [ \$n -lt $size ]; do head -c \$n qwen2.gguf >cut.gguf; lm-vocab-convert --from gguf cut.gguf -o x 2>/dev/null; case \$? in 3) ;; *) echo \$n ;; esac; n=\$((n + 2003)); done" ''
sed 's/<|fim_pad|>/<|fim_PAD|>/' qwen2.gguf >two.gguf
run 'names changed throughout are another vocabulary' 0 'lm-vocab-convert two.gguf -o two'
sed 's/"<|fim_pad|>"/"<|fim_PAD|>"/' qwen2.gguf >two.gguf
fails 'a tokenizer.json of another vocabulary inside' 3 'lm-vocab-convert two.gguf -o x' 'two.gguf: mismatch: .*another vocabulary'
is 'nothing was left' 'ls -d x x.* ./*.tmp* 2>/dev/null' ''
run 'a chat template is kept' 0 "cp -r $v chat && sed 's/\"bos_token\": null,/&\n  \"chat_template\": \"{{ x }}\",/' $v/tokenizer_config.json >chat/tokenizer_config.json && lm-vocab-convert chat --to gguf -o chat.gguf && lm-vocab-convert chat.gguf -o chat2 && cmp chat/tokenizer_config.json chat2/tokenizer_config.json"
run '.. from a file of its own' 0 "cp -r $v chat3 && printf '{{ x }}' >chat3/chat_template.jinja && lm-vocab-convert chat3 --to gguf -o chat3.gguf && cmp chat.gguf chat3.gguf"
done_testing
