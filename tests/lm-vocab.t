#!/bin/sh
# lm-vocab tells what a vocabulary is; one that cannot be honoured is refused by name.
. "${0%/*}/t.sh"
printf 'low low low lower lowest\n' >text
lm-import text | lm-bpe-train -o v --vocab-size 272 --reserve 12 --pad-to 1
is 'its size' 'lm-vocab v | head -n 5 | tr "\n\t" "  "' 'size 272 tokens 260 added 0 special 12 merges 4 '
is 'words that are tokens come first, or not' \
    "lm-vocab v | grep ignore; sed 's/\"ignore_merges\": false/\"ignore_merges\": true/' v/tokenizer.json >first.json; lm-vocab first.json | grep ignore" \
    'ignore-merges	no
ignore-merges	yes'
is 'a line a token' 'lm-vocab --tsv v | wc -l' 272
run 'a file is a vocabulary too, its roles by the usual names' 0 \
    'lm-vocab v >a; lm-vocab v/tokenizer.json | cmp - a'
mkdir hf
edit() { sed "$1" v/tokenizer.json >hf/tokenizer.json; cp v/tokenizer_config.json hf/; }
like 'vocab= is the hash of the file' "edit 's/^/ /'; lm-vocab hf" "^vocab	$(lm-vocab v | sed -n 's/^vocab	//p' | tr -d '\n' | sed 's/./[0-9a-f]/g')"
is 'so it differs when a byte does' 'lm-vocab hf | tail -n 1 >a; lm-vocab v | tail -n 1 | cmp -s - a; echo $?' 1
# refused NAME SED ERE
refused() { edit "$2"; fails "$1" 3 'lm-vocab hf' "hf/tokenizer.json: invalid: .*$3"; }
refused 'another model' 's/"BPE"/"Unigram"/' 'model is not BPE'
refused 'byte_fallback' 's/"byte_fallback": false/"byte_fallback": true/' byte_fallback
refused 'dropout' 's/"dropout": null/"dropout": 0.1/' dropout
refused 'a word prefix' 's/"continuing_subword_prefix": null/"continuing_subword_prefix": "##"/' continuing_subword_prefix
refused 'a pattern that is none' 's/"Regex": ".*"/"Regex": "x("/' "pattern 'x\\('"
refused 'a split that loses text' 's/"Isolated"/"Removed"/' 'behavior Removed'
refused 'a prefix space' 's/"add_prefix_space": false/"add_prefix_space": true/' add_prefix_space
refused 'another normalizer' 's/"normalizer": null/"normalizer": {"type": "Lowercase"}/' normalizer
refused 'another normalizer in a sequence' 's/"normalizer": null/"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "NFKC"}]}/' normalizer
refused 'an id given twice' 's/"lo": 256/"lo": 255/' 'id 255 is given twice'
refused 'an id of an added token given to another' 's/"lo": 256/"lo": 270/' 'id 270'
refused 'a huge id' 's/"lo": 256/"lo": 99999999/' 'an id is no integer'
refused 'a merge of what is no token' 's/"lo": 256,/"xx": 256,/' 'merge 0 names a token that vocab lacks'
refused 'a key that is no byte-level text' 's/"lo": 256,/"l o": 256,/' 'no byte-level token'
refused 'an added token given twice' 's/<|fim_pad|>/<|file_sep|>/' 'given twice'
refused 'an added token that eats spaces' 's/"lstrip": false/"lstrip": true/' 'lstrip'
refused 'a key given twice' 's/"fuse_unk": false,/"fuse_unk": false, "fuse_unk": false,/' 'duplicate'
refused 'no merges' 's/"merges"/"merge"/' 'no "merges"'
edit ''
sed 's/"eos_token": ".*"/"eos_token": "<|nothing|>"/' v/tokenizer_config.json >hf/tokenizer_config.json
fails 'a role nobody has' 3 'lm-vocab hf' 'eos_token "<.nothing.>" is no added token'
edit 's/"Regex": ".*"/"Regex": "x"/'
is 'merges as one string are read' \
    "awk '/^    \"merges\"/ { m = 1 } m && /^      \\[/ { getline a; getline b; getline; gsub(/[ ,]/, \"\", a); gsub(/[ ,]/, \"\", b); e = /,/ ? \",\" : \"\";
        print \"      \" substr(a, 1, length(a) - 1) \" \" substr(b, 2) e; next } { print }' v/tokenizer.json >old.json; grep -c 'l o' old.json; lm-vocab old.json | sed -n 5p" '1
merges	4'
is 'a model that splits by ByteLevel itself is gpt2' \
    "awk '/\"pre_tokenizer\"/ { print \"  \\\"pre_tokenizer\\\": {\\\"type\\\": \\\"ByteLevel\\\", \\\"add_prefix_space\\\": false, \\\"trim_offsets\\\": true, \\\"use_regex\\\": true},\"; skip = 1; next }
        /\"post_processor\"/ { skip = 0 } !skip' v/tokenizer.json >old.json; lm-vocab old.json | sed -n 's/pattern.//p'" gpt2
fails 'a directory without tokenizer.json' 5 'mkdir empty; lm-vocab empty' 'empty/tokenizer.json'
done_testing
