#!/bin/sh
# A vocabulary gives the same ids where lm-vocab-convert takes it: in tiktoken, from our list of ranks; in llama.cpp,
# from our GGUF file; and published lists of ranks give here the ids they give there. The text is code, a mixture with prose,
# CJK, emoji and minified JavaScript (where the packages of make deps-dev are at hand), and what strange.py makes. llama.cpp is in requirements of nobody: pip install llama-cpp-python, a compiler at hand.
# shellcheck disable=SC2086 # names without blanks
. "${0%/*}/../t.sh"
skip_without peers:tiktoken python3
peer() { "$LM_PEERS" "$ROOT/tests/peer/$1" $2; }
lm-import --max-bytes 100M "$ROOT/bin" "$ROOT/lib" "$ROOT/tests/peer" >code.lm
peer strange.py odd.lm
peer strange.py 'old.lm old'
texts='code odd'
if python3 "$ROOT/tests/peer/corpus.py" mixed 2 >mixed.lm 2>"$err"; then texts="$texts mixed"; else note "$(cat "$err")"; fi
# the ids of what is code and what is odd: FORM VOCABULARY FILE PEER-SCRIPT TEXTS
same()
{
    for t in $5; do
        lm-tok --vocab "$2" --eos off $t.lm >$t.tok
        run "$1, ids of $t" 0 "peer $4 '$t.lm $t.tok $3'"
        note "$(cat "$out")"
    done
}

for v in gpt2 cl100k o200k qwen3 llama3; do
    peer ranks.py "$v $v.tiktoken" 2>"$err" || { note "$(cat "$err")"; continue; }
    case $v in
    qwen3) pretok='--pretok qwen2' ;;
    llama3) pretok='--pretok cl100k' ;;
    *) pretok= ;;
    esac
    run "$v: a published list of ranks is read" 0 "lm-vocab-convert $pretok $v.tiktoken -o $v"
    run "$v: and written" 0 "lm-vocab-convert $v --to tiktoken -o back-$v.tiktoken"
    bytes "$v: to the same bytes" $v.tiktoken back-$v.tiktoken
    same "$v: tiktoken" $v back-$v.tiktoken tiktoken_ids.py "$texts"
    peer ranks.py "$v every.json"
    run "$v: with every split of a token as a merge it is the same list" 0 \
        "lm-vocab-convert every.json --to tiktoken -o every.tiktoken && cmp every.tiktoken $v.tiktoken"
done

for p in qwen2=qwen2 gpt2=gpt-2 starcoder=starcoder cl100k=llama-bpe o200k=gpt-4o deepseek-coder=deepseek-coder; do
    pre=${p#*=} p=${p%=*}
    lm-bpe-train -o own-$p --pretok $p --vocab-size 8192 code.lm
    if [ $p != deepseek-coder ]; then # which tiktoken has no form of
        run "$p: to tiktoken" 0 "lm-vocab-convert own-$p --to tiktoken -o own-$p.tiktoken"
        same "$p: tiktoken" own-$p own-$p.tiktoken tiktoken_ids.py "$texts"
    fi
    run "$p: to GGUF" 0 "lm-vocab-convert own-$p --to gguf -o own-$p.gguf"
done
skip_without peers:gguf
for p in qwen2=qwen2 gpt2=gpt-2 starcoder=starcoder cl100k=llama-bpe o200k=gpt-4o deepseek-coder=deepseek-coder; do
    run "${p%=*}: gguf reads the keys" 0 "peer gguf_keys.py 'own-${p%=*}.gguf own-${p%=*} ${p#*=}'"
    note "$(cat "$out")"
done
skip_without peers:llama_cpp
case $texts in *mixed) texts='code old mixed' ;; *) texts='code old' ;; esac # its table is of an older Unicode
for p in qwen2 gpt2 starcoder cl100k deepseek-coder; do
    same "$p: llama.cpp" own-$p own-$p.gguf llama_ids.py "$texts"
done
# its o200k takes letters for upper or lower case by whether they are a-z or A-Z, and leaves marks out
same 'o200k: llama.cpp' own-o200k own-o200k.gguf llama_ids.py code
done_testing
