#!/bin/sh
# Ids are those of Hugging Face's tokenizers and of tiktoken, for published vocabularies that packages carry and for our
# own under each pattern; on code, CJK, emoji, minified JavaScript and random bytes. What must not change an id does
# not: the kernels, threads, cache, how the input comes, how large a document is.
# LM_IDS_MB: MB of mixed text (2: about a minute; 100: half an hour).
. "${0%/*}/../t.sh"
skip_without peers:tokenizers peers:tiktoken peers:regex
mb=${LM_IDS_MB:-2}
TOKENIZERS_PARALLELISM=true HF_HUB_OFFLINE=1
export TOKENIZERS_PARALLELISM HF_HUB_OFFLINE
corpus() { python3 "$ROOT/tests/peer/corpus.py" "$@"; }
peer() { "$LM_PEERS" "$ROOT/tests/peer/ids.py" "$@"; }
encode=$ROOT/build/$CONF/peer/encode
[ -x "$encode" ] || note "no $encode (make helpers): the library alone is left out"

# Random text has every character, assigned or not, but those few that a peer's tables of Unicode take for another kind
# than ours do, which are of Unicode 16.0: tokenizers and tiktoken have 16.0 too and differ nowhere; Digits of
# tokenizers, which starcoder stands on, has Rust's 17.0 and so 13 more digits; the package regex is of a later version
# still. newer.py finds them and fails if one of them was known to 16.0 and had that kind already.
newer() { "$LM_PEERS" "$ROOT/tests/peer/newer.py" "$@"; }
run 'a peer differs on characters younger than our table alone' 0 'newer tokenizers digits tiktoken >newer && newer regex >newer.rx'
note "left out of random characters: $(grep -c . newer); of random bytes, for the package regex: $(grep -c . newer.rx) more"
sort -u newer newer.rx >newer.all
for k in "mixed $mb" 'js .5' 'cjk .5' 'bytes .2 newer.all' 'utf8 .2 newer'; do
    # shellcheck disable=SC2086 # kind and size
    corpus $k >"${k%% *}.lm" 2>"$err" || { note "$(cat "$err")"; rm "${k%% *}.lm"; }
done
note "$(awk 'n>0 { n -= length($0) + 1; next } /^@/ { n = $2 + 1; sub(/.*kind=/, ""); b[$0] += n }
    END { for (k in b) printf "%.1f MB of %s, ", b[k] / 1e6, k }' mixed.lm)mixed"
[ -s mixed.lm ] || { echo '1..0 # SKIP no text: make deps-dev'; exit 0; }
texts=mixed.lm
for f in js cjk utf8; do [ ! -s $f.lm ] || texts="$texts $f.lm"; done
# shellcheck disable=SC2086 # files
lm-cat $texts >text.lm
# shellcheck disable=SC2086 # files
lm-cat $texts bytes.lm >all.lm
# One document of it all, over and over until it has more than the 8 MB at which documents are cut; of a long text the
# 20 MB that a peer has memory for.
lm-head --bytes 20M text.lm | lm-export --to text >text.txt
while [ "$(wc -c <text.txt)" -lt 9000000 ]; do cat text.txt text.txt >more.txt && mv more.txt text.txt; done
lm-import --max-bytes 1G text.txt >one.lm

vocabs=
for v in gpt2 cl100k o200k qwen3; do
    if "$LM_PEERS" "$ROOT/tests/peer/ranks.py" $v $v.json 2>"$err"; then vocabs="$vocabs $v.json"; else note "$(cat "$err")"; fi
done
for p in qwen2 gpt2 starcoder cl100k o200k deepseek-coder; do
    lm-bpe-train -o own-$p --pretok $p --vocab-size 16384 mixed.lm && vocabs="$vocabs own-$p/tokenizer.json"
done

tok() { lm-tok --eos off --check 0 --vocab "$v" "$@"; }
for v in $vocabs; do
    name=${v%.json} name=${name%/tokenizer}
    tok -j 1 text.lm >text.tok
    run "$name: text has Hugging Face's ids" 0 "peer text.lm text.tok $v tokenizers"
    note "$(cat "$out")"
    case $name in
    *starcoder | *deepseek-coder) ;; # several splits in turn, which tiktoken has no form of
    *)
        run "$name: text has tiktoken's ids" 0 "peer text.lm text.tok $v tiktoken"
        note "$(cat "$out")"
        ;;
    esac
    tok -j 1 bytes.lm >bytes.tok
    run "$name: random bytes have the ids of their pretokens" 0 "peer bytes.lm bytes.tok $v bytes"
    note "$(cat "$out")"
    tok all.lm -j 1 >want
    run "$name: the slow encoder gives the same" 0 'tok -j 2 --check 1 all.lm | cmp - want'
    for d in ref avx2 avx512; do
        run "$name: kernels of $d give the same" 0 "LM_DEVICE=$d tok -j 1 all.lm | cmp - want"
    done
    for c in 0 4K 1M 32M; do
        run "$name: a cache of $c gives the same" 0 "tok -j 2 --cache $c all.lm | cmp - want"
    done
    run "$name: in pieces through a pipe, the same" 0 'dd bs=4093 status=none <all.lm | tok -j 2 | cmp - want'
    tok one.lm >one.tok
    [ "$mb" -lt 20 ] || run "$name: one document of it all: Hugging Face's ids" 0 "peer one.lm one.tok $v tokenizers"
    [ ! -x "$encode" ] || run "$name: one document of it all: those of the library on one text" 0 \
        "'$encode' -o one.ids $v one.lm 1 && peer one.lm one.tok $v ids:one.ids"
done
done_testing
