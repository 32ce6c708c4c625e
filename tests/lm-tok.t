#!/bin/sh
# lm-tok gives each document the ids of its bytes, whatever the bytes, and says what else is asked for.
. "${0%/*}/t.sh"
printf 'low low low lower lowest newest newest <|endoftext|> def f(x): return "caf\303\251"\n' >text
lm-import text | lm-bpe-train -o v --vocab-size 300 --reserve 16 --pad-to 1
lm-bpe-train -o v0 --vocab-size 280 --reserve 0 --pad-to 1 --allow-short "$(lm-import text >text.lm; echo text.lm)"
doc() { printf "%b" "$1" >body; lm-import --src t --max-bytes 1G body; }
ids() { lm-tok --vocab v "$@" | lm-export -t tok --to text | od -An -v -tu2 | tr -s ' \n' ' ' | sed 's/^ //; s/ $//'; }
eos=$(lm-vocab v | awk '$1 == "eos" { print $2 }')

# --- ids
is 'ids of two bytes, eos behind' "doc 'xz' | ids" "87 89 $eos"
is '--eos off leaves it out' "doc 'xz' | ids --eos off" '87 89'
is 'an empty document is eos alone' "doc '' | ids" "$eos"
is 'a merge is used' "doc 'lowlow' | ids --eos off | wc -w" 2
is '--dt u32' "doc 'xz' | lm-tok --vocab v --dt u32 | heads | grep -o ' dt=.* shape=[0-9]*'" ' dt=u32 shape=3'
is 'the record keeps its attributes and says whose ids these are' \
    "doc 'xz' | lm-tok --vocab v | heads | sed 's/id=[0-9a-f]*/id=I/'" \
    "@tok 6 id=I src=t path=body size=2 enc=ascii dt=u16 shape=3 vocab=$(lm-vocab v | awk '$1 == "vocab" { print $2 }') bytes=2"
is 'a document without id gets that of its body' \
    "stream '' xz | lm-tok --vocab v | heads | grep -o 'id=[0-9a-f]*'; doc xz | heads | grep -o 'id=[0-9a-f]*'" \
    "$(doc xz | heads | grep -o 'id=[0-9a-f]*'; doc xz | heads | grep -o 'id=[0-9a-f]*')"

# --- special tokens in the text
is 'special tokens in text stay text' "doc 'x<|endoftext|>z' | lm-tok --vocab v --eos off | lm-detok --vocab v --text" 'x<|endoftext|>z'
is '--special parse makes them ids' "doc 'x<|endoftext|>z' | ids --special parse" "87 $eos 89 $eos"
is 'a name cut short stays text' "doc 'x<|mode_x|><|mode_' | ids --special parse --eos off | cut -d ' ' -f 1-2" "87 $((eos + 10))"
is '--special drop leaves them out' "doc 'x<|endoftext|>z' | ids --special drop" "87 89 $eos"
fails '--special error ends the run' 3 "doc 'x<|endoftext|>z' | lm-tok --vocab v --special error" 'invalid: special token <.endoftext.> in the text, at byte 1'

# --- parts
is 'parts in order: prefix, suffix, middle' "stream 'fim=pre:2,suf:1,mid:0' xyz | ids" "$((eos + 1)) 87 88 $((eos + 3)) 89 $((eos + 2)) $eos"
is 'suffix first: both marks before it' "stream 'fim=suf:1,pre:1,mid:1' xyz | ids" "$((eos + 1)) $((eos + 3)) 87 $((eos + 2)) 88 89 $eos"
is 'repository, files and text' "stream 'fim=repo:1,file:1,text:1' xyz | ids" "$((eos + 5)) 87 $((eos + 6)) 88 89 $eos"
fails 'parts that do not cover the body' 3 "stream 'fim=pre:1' xyz | lm-tok --vocab v" 'fim='
fails 'a part nobody knows' 3 "stream 'fim=prefix:3' xyz | lm-tok --vocab v" 'prefix'

# --- prompts and answers
# bodies: each record's body in od's hex
hex() { lm-export -t tok --to text "$@" | od -An -v -tx1 | tr -s ' \n' ' ' | sed 's/^ //; s/ $//'; }
e=$(printf '%02x %02x' $((eos % 256)) $((eos / 256)))
is 'a pair: prompt and answer apart, the answer and its end have weight' "stream '@pair cut=1 label=good' xzz | lm-tok --vocab v | tee p.lm | heads | sed 's/id=[0-9a-f]*/id=I/; s/vocab=[0-9a-f]*/vocab=V/'; hex p.lm" \
    "@tok 12 label=good id=I dt=u16 shape=4 vocab=V bytes=2 with=weight:u8:4
57 00 59 00 59 00 $e 00 01 01 01"
is 'no token reaches from the prompt into the answer' "stream '@pair cut=2' lowlow | lm-tok --vocab v --eos off | lm-detok --vocab v --text; stream '@pair cut=2' lowlow | lm-tok --vocab v --eos off --bos off --offsets >p.lm; lm-detok --vocab v --text p.lm; heads <p.lm | grep -c weight:u8" 'lowlowlowlow1'
fails 'a pair without its cut' 3 "stream '@pair label=good' xz | lm-tok --vocab v" 'pair without cut='
fails 'a cut beyond the body' 3 "stream '@pair cut=3' xz | lm-tok --vocab v" 'cut=3 of 2 bytes'

# --- offsets, counts
is '--offsets: the byte where each token begins' \
    "doc 'x<|im_end|>low' | lm-tok --vocab v --special parse --offsets | tee o.lm | heads | grep -o 'with=.*'; lm-export -t tok --to text o.lm | tail -c 16 | od -An -tu4 | tr -s ' '" \
    'with=off:u32:4
 0 1 11 14'
is '--count sets tokens and characters a token' "doc 'xz\303\251' | lm-tok --vocab v --count | heads | grep -o 'tokens=.*'" 'tokens=4 cpt=0.75'
fails '--count has no use for --offsets' 2 'lm-tok --vocab v --count --offsets text.lm' 'no meaning'

# --- any bytes
head -c 300000 /dev/urandom >r
run 'random bytes come back' 0 'lm-import r | lm-tok --vocab v --check 1 | lm-detok --vocab v --text | cmp - r'
fails '--invalid error' 3 'lm-import r | lm-tok --vocab v --invalid error' 'not UTF-8'
printf '\0\n\r\n \t\302\240\377\xed\xa0\x80\360\220a\047S\047\305\277' >r
run 'NUL, line ends, odd spaces, half characters come back' 0 'lm-import r | lm-tok --vocab v --check 1 | lm-detok --vocab v --text | cmp - r'
head -c 2000000 /dev/zero | tr '\0' b >a
run 'one word of two million letters takes no quadratic time' 0 'lm-import --max-bytes 1G a | timeout 20 lm-tok --vocab v >a.tok'
run 'and comes back' 0 'lm-detok --vocab v --text a.tok | cmp - a'

# --- the same whatever the speed options
cat "$ROOT"/lib/*/*.[ch] >many
for i in 1 2 3 4 5 6; do split -b 7k many "p$i."; mkdir -p d; mv "p$i".* d; done
lm-import d >d.lm
lm-tok --vocab v -j 1 d.lm >want
# shellcheck disable=SC2086
for o in '-j 2' '-j 7' '--cache 0' '--cache 1' '--cache 4K' '--cache 1G -j 3' '--check 1'; do
    bytes "$o changes no byte" want "$(lm-tok --vocab v $o d.lm >have; echo have)"
done
run 'a tokenizer.json alone will do' 0 'cp v/tokenizer.json t.json; lm-tok --vocab t.json d.lm | cmp - want'

# --- documents too large to hold, in pieces
head -c 400000 /dev/zero | tr '\0' a >letter
head -c 700000 /dev/urandom | tr -dc '[:lower:]' >letters
head -c 300000 /dev/zero >zeros
{ tr '\0' ' ' <zeros; printf 'x\n'; tr '\0' ' ' <zeros; } >blanks
head -c 300000 /dev/urandom >noise
{ head -c 200000 many; printf '<|im_end|>'; cat letters; printf '<|im_end|> <|im_end'; head -c 90000 many; } >mixed
for f in many letter letters zeros blanks noise mixed; do
    lm-import --src t --max-bytes 1G "$f" | lm-cat - d.lm >whole.lm
    for o in '' '--special parse --offsets' '--count' '--special drop --dt u32 -j 1'; do
        # shellcheck disable=SC2086
        lm-tok --vocab v $o --window 1G whole.lm >want
        # shellcheck disable=SC2086
        bytes "$f ${o:-as ids}: a window of 5,000 bytes changes none" want \
            "$(lm-tok --vocab v $o --window 5000 --check 1 whole.lm >have; echo have)"
    done
done
lm-tok --vocab v --window 5000 whole.lm >want
bytes 'nor do threads, any pipe, no cache' want \
    "$(dd if=whole.lm bs=997 2>dd.err | lm-tok --vocab v --window 5000 -j 7 --cache 0 >have; echo have)"
lm-tok --vocab v <d.lm >want
run 'a body beyond LM_MAX_BODY may come in pieces' 0 'lm-import --max-bytes 1G --src t many | LM_MAX_BODY=9000 lm-tok --vocab v --window 5000'
fails 'unless it cannot be cut' 3 'stream fim=pre:20000 "$(head -c 20000 many)" | LM_MAX_BODY=9000 lm-tok --vocab v --window 5000' 'limit: the body is larger'
run 'other records as large pass as they are' 0 'stream "@zz k=v" "$(head -c 20000 letter)" >zz; LM_MAX_BODY=9000 lm-tok --vocab v --window 5000 zz | cmp - zz'
fails 'a special token in it is found where it stands' 3 'lm-import --max-bytes 1G mixed | lm-tok --vocab v --window 5000 --special error' 'special token <.im_end.> in the text, at byte 200000$'
fails 'a byte that is not UTF-8 too' 3 'lm-import --max-bytes 1G noise | lm-tok --vocab v --window 5000 --invalid error' 'not UTF-8'
fails 'a body cut short' 3 'head -c 90000 whole.lm | lm-tok --vocab v --window 5000 >half' 'truncated'
# rss CMD: the most memory it had, in KiB
rss() { /usr/bin/time -f %M -o rss "$@" >/dev/null && cat rss; }
if [ -x /usr/bin/time ] && [ "$CONF" = release ]; then
    cat letters letters letters letters letters letters letters letters >eight
    { printf '%%lm 1\n@doc %d\n' $((32 * $(wc -c <eight)))
      for i in 1 2 3 4 5 6 7 8; do cat eight eight eight eight; done
      printf '\n%%end n=1 b=%d\n' $((32 * $(wc -c <eight))); } >huge.lm
    lm-cat d.lm >small.lm
    small=$(rss lm-tok --vocab v -j 1 small.lm) big=$(rss lm-tok --vocab v -j 1 huge.lm)
    run "a line of $(($(wc -c <huge.lm) >> 20)) MiB without a space takes few MiB more than small files ($small, $big KiB)" 0 \
        '[ "$big" -lt $((small + 60000)) ]'
else
    note 'memory: not measured (GNU time, release build)'
fi

# --- refusals
fails 'no vocabulary' 2 'lm-tok d.lm' 'no --vocab'
fails 'a vocabulary that is not there' 5 'lm-tok --vocab none d.lm' 'none'
fails 'a vocabulary without eos' 3 'lm-tok --vocab v0 d.lm' 'no eos token'
run 'but with --eos off' 0 'lm-tok --vocab v0 --eos off d.lm'
fails 'a vocabulary without bos' 3 'lm-tok --vocab v --bos on d.lm' 'no bos token'
head -c 5000 v/tokenizer.json >cut.json
fails 'a cut tokenizer.json' 3 'lm-tok --vocab cut.json d.lm' 'cut.json: invalid: JSON, line'
lm-import --src s text | lm-bpe-train -o seen --alphabet seen --vocab-size 80 --reserve 1 --pad-to 1 --allow-short
fails 'a byte a small alphabet lacks' 3 "doc 'Z' | lm-tok --vocab seen" 'byte 0x5A is not in the vocabulary'
sed 's/"normalizer": null/"normalizer": {"type": "NFC"}/' v/tokenizer.json >nfc.json
run 'a vocabulary in form C takes plain text' 0 "doc 'caf\303\251' | lm-tok --vocab nfc.json"
fails 'and refuses what might not be in it' 3 "doc 'cafe\314\201' | lm-tok --vocab nfc.json" 'form C'
done_testing
