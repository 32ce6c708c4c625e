#!/bin/sh
# lm-eval scores documents by likelihood.
. "${0%/*}/t.sh"
. "$ROOT/tests/tinymodel.sh"
run 'a tiny model is made' 0 'tiny_model m'
stream path=a.py 'def add(a, b):' path=b.py '' '@tok' 'x' path=c.py "$(seq 300)" >d.lm

is 'scores end the stream; other records pass' 'lm-eval -m m d.lm | heads | cut -d " " -f 1,3 | tr "\n" " "' \
    '@tok @score name=bits-per-byte @score name=loss @score name=perplexity-token @score name=perplexity-word @score name=bytes-per-token '
is '--tsv prints them' 'lm-eval -m m --tsv d.lm | cut -f 1 | tr "\n" " "' \
    'bits-per-byte loss perplexity-token perplexity-word bytes-per-token '
is '--each passes documents with their sums' \
    'lm-eval -m m --each d.lm | heads | head -n 4 | sed "s/logp=-[0-9.]*/logp=-x/" | cut -d " " -f 1-4' \
    '@doc 0 path=a.py logp=-x
@doc 0 path=b.py logp=0
@tok 1
@doc 0 path=c.py logp=-x'
is 'a random model is near log V a token' 'lm-eval -m m --tsv d.lm | awk "/^loss/ {print (\$2 > 6 && \$2 < 7.5)}"' 1
run 'a table of sums' 0 'lm-eval -m m --each d.lm >want'
for w in '-j 1' '-j 2' '--batch 1' '--batch 32'; do
    run "$w runs" 0 "lm-eval -m m --each $w d.lm >have"
    bytes "$w changes no byte" want have
done
fails 'a stride beyond the window is a usage error' 2 'lm-eval -m m --ctx 16 --stride 17 d.lm' 'stride'
fails 'no model is a usage error' 2 'lm-eval d.lm' 'needed'
is 'no documents score nothing' 'stream | lm-eval -m m --tsv | head -n 1 | cut -f 1,2' 'bits-per-byte	0'

# --fim: the middles of documents that lm-fim has cut.
cut_doc() # PRE SUF MID ..: a stream of documents cut in three
{
    set -- "$@" --
    while [ "$1" != -- ]; do
        set -- "$@" "fim=pre:${#1},suf:${#2},mid:${#3}" "$1$2$3"
        shift 3
    done
    shift
    stream "$@"
}
logp() { heads | sed -n 's/^@doc.* logp=\([^ ]*\).*/\1/p' | tr '\n' ' '; }
total() { logp | awk '{ for (i = 1; i <= NF; i++) s += $i; printf "%.3f\n", s }'; }
digits() { awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) printf "%d", (i * i + i / 3) % 10 }'; }

# What lm-gen drew, one token a sample, is as likely to lm-eval: the same ids in the same order.
for o in psm spm; do
    stream '@prompt id=f cut=8' 'def add(): return a' |
        lm-gen -m m --fim $o -n 400 --temp 1 --max-tokens 1 |
        awk 'n>0{n-=length($0)+1;next} /^@gen [1-9]/{h=$0;k=$2;getline;if(length($0)!=k){n=k-length($0);next}
            sub(/.* logp=/,"",h);sub(/ .*/,"",h);print h >"want"
            d=d "@doc " 19+k " fim=pre:8,suf:11,mid:" k "\ndef add(): return a" $0 "\n";docs++;b+=19+k;next} /^@/{n=$2+1}
            END{printf "%%lm 1\n%s%%end n=%d b=%d\n",d,docs,b}' >drawn.lm
    run "$o: tokens that lm-gen drew are as likely" 0 \
        "[ \$(sort -u want | wc -l) -gt 8 ] && lm-eval -m m --fim $o --each drawn.lm | logp | tr ' ' '\n' | diff - want"
done
a=$(digits 100)
cut_doc "$a" "$a" 7 >long.lm
cut_doc "$(digits 100 | tail -c 18)" "$(digits 18)" 7 >short.lm
is 'of long sides stays what lies next to the middle' 'lm-eval -m m --fim psm --each --ctx 40 long.lm | logp' \
    "$(lm-eval -m m --fim psm --each short.lm | logp)"
cut_doc "$a" 12345 7 >long.lm
cut_doc "$(digits 100 | tail -c 31)" 12345 7 >short.lm
is 'what a short side leaves goes to the other' 'lm-eval -m m --fim spm --each --ctx 40 long.lm | logp' \
    "$(lm-eval -m m --fim spm --each short.lm | logp)"
is '.. not left to right' 'lm-eval -m m --fim off --each --ctx 40 long.lm | logp' \
    "$(cut_doc "$(digits 100 | tail -c 39)" '' 7 | lm-eval -m m --fim off --each | logp)"
cut_doc abc xyz 12345678901234567890 >long.lm
cut_doc abc xyz 12345678 abc12345678 xyz 90123456 abc1234567890123456 xyz 7890 >short.lm
for o in psm spm off; do
    is "$o: a long middle is scored in steps" "lm-eval -m m --fim $o --stride 8 --each long.lm | total" \
        "$(lm-eval -m m --fim $o --each short.lm | total)"
done
is 'left to right from nothing is the document' \
    'cut_doc "" xyz "def add(a, b):" | lm-eval -m m --fim off --each | total' \
    "$(stream '' 'def add(a, b):' | lm-eval -m m --each | total)"
is 'a token that began before the middle counts among those that begin alike: here it is the only one' \
    'cut_doc "def ad" "" d | lm-eval -m m --fim off --each | heads | head -n 1' '@doc 0 fim=pre:6,suf:0,mid:1 logp=0 tokens=1 size=1'
lm-fim --rate 1 --min-bytes 0 d.lm >cut.lm
is 'scores tell the order, and how likely the end is' \
    'lm-eval -m m --fim spm cut.lm | heads | sed -n "s/^@score 0 name=\(loss[^ ]*\).*n=\([0-9]*\) method=\([^ ]*\).*/\1 \2 \3/p" | sed "s/^loss [0-9]*/loss/"' \
    'loss fim-spm
loss-end 3 fim-spm'
is '.. which left to right has none' 'lm-eval -m m --fim off --tsv cut.lm | grep -c loss-end' 0
is 'a document that is not cut has nothing to score' 'stream "" abc | lm-eval -m m --fim psm --each | heads | head -n 1' \
    '@doc 0 logp=0 tokens=0 size=0'
is 'each file of a repository is one text' \
    'stream "fim=repo:1,file:2,text:4,file:2,pre:1,suf:2,mid:3" "rAAabcdBB1xy234" | lm-eval -m m --fim psm --each | logp' \
    "$(cut_doc 1 xy 234 | lm-eval -m m --fim psm --each | logp)"
for o in psm spm off; do
    run "--fim $o: a table of sums" 0 "lm-eval -m m --fim $o --ctx 32 --stride 9 --each cut.lm >want"
    run ".. whatever threads and windows" 0 "for w in '-j 1' '-j 2' '--batch 1' '--batch 33'; do
        lm-eval -m m --fim $o --ctx 32 --stride 9 --each \$w cut.lm | cmp - want || exit 1; done"
done
fails 'parts that do not fit' 3 'stream fim=pre:9 abc | lm-eval -m m --fim psm' '^lm-eval: stdin:0:6: invalid: fim= does not fit'
fails 'a middle without its sides' 3 'stream fim=pre:1,mid:2 abc | lm-eval -m m --fim psm' 'do not stand together'
fails '.. or sides without a middle' 3 'stream fim=pre:1,suf:2 abc | lm-eval -m m --fim psm' 'do not stand together'
fails 'a window without room for marks' 2 'lm-eval -m m --fim psm --ctx 6 cut.lm' 'no room for marks'
printf 'x = 1\n' | lm-import - | lm-bpe-train --vocab-size 320 --reserve 1 --allow-short --pad-to 1 -o bare.vocab
lm-init --layers 1 --dim 32 --head-dim 16 --ffn 32 --seq 64 --vocab bare.vocab -o bare
fails 'a vocabulary without the marks' 3 'lm-eval -m bare --fim psm cut.lm' 'no fim-pre token'
run '.. serves left to right' 0 'lm-eval -m bare --fim off cut.lm'
done_testing
