#!/bin/sh
# lm-detok gives the bytes back that lm-tok was given.
. "${0%/*}/t.sh"
printf 'low low low lower lowest \303\251\303\251 \342\202\254 \360\237\230\200\n' >text
lm-import text >in.lm
lm-bpe-train -o v --vocab-size 272 --reserve 8 --pad-to 1 in.lm
lm-bpe-train -o w --vocab-size 271 --reserve 8 --pad-to 1 in.lm
lm-tok --vocab v in.lm >in.tok
vocab=$(lm-vocab v | awk '$1 == "vocab" { print $2 }')
# tok ATTRS ID ..: a record of u16 ids, all below 256 or as octal pairs made by printf
# shellcheck disable=SC2059
tok() { t_a=$1; shift; printf '@tok %d dt=u16 shape=%d vocab=%s%s\n' $(($# * 2)) $# "$vocab" "${t_a:+ $t_a}"
    for t_i; do printf "\\$(printf %o $((t_i % 256)))\\$(printf %o $((t_i / 256)))"; done; echo; }
toks() { printf '%%lm 1\n'; cat; printf '%s\n' "$1"; }

run 'the document is the one that was encoded' 0 'lm-detok --vocab v in.tok | lm-export --to text | cmp - text'
is 'its attributes too, but for those of the ids' "lm-detok --vocab v in.tok | heads" "$(heads in.lm)"
is '--special text shows the special tokens' 'lm-detok --vocab v --special text --text in.tok | tail -c 14' '
<|endoftext|>'
run 'u32 ids' 0 'lm-tok --vocab v --dt u32 in.lm | lm-detok --vocab v --text | cmp - text'
run 'ids with offsets' 0 'lm-tok --vocab v --offsets in.lm | lm-detok --vocab v --text | cmp - text'
fails 'another vocabulary is refused' 3 'lm-detok --vocab w in.tok' 'mismatch: vocab='
fails 'an unknown id is refused' 3 "tok '' 65 9999 | toks '%end n=1 b=4' | lm-detok --vocab v" 'id 9999 at 1'
fails 'ids without dt=' 3 "stream '@tok shape=1' ab | lm-detok --vocab v" 'missing: dt='
fails 'more ids than the body holds' 3 "stream '@tok dt=u16 shape=9' ab | lm-detok --vocab v" 'do not fit'
fails 'no vocabulary' 2 'lm-detok in.tok' 'no --vocab'

# --- records in pieces
cat "$ROOT"/lib/*/*.c >many
lm-import --src t --max-bytes 1G many | lm-cat - in.lm >both.lm
for o in '' '--offsets' '--dt u32'; do
    # shellcheck disable=SC2086
    lm-tok --vocab v $o both.lm >both.tok
    for w in 1G 64 5000; do
        bytes "${o:-ids}: the document, in pieces of $w" both.lm "$(lm-detok --vocab v --window $w both.tok >have; echo have)"
    done
done
lm-detok --vocab v --text both.tok >want
bytes '--text in pieces' want "$(lm-detok --vocab v --text --utf8-stream --window 64 both.tok >have; echo have)"
run 'beyond LM_MAX_BODY' 0 'LM_MAX_BODY=5000 lm-detok --vocab v --window 1000 both.tok | cmp - both.lm'
{ tok 'id=1 part=0' $(seq 60 99); tok 'id=1 part=1 last=1' 9999 $(seq 60 99); } | toks '%end n=2 b=162' >bad
fails 'an unknown id in pieces' 3 'lm-detok --vocab v --window 64 bad' 'bad:1:[0-9]*: invalid: id 9999 at 0 is not'

# --- characters over several parts: the euro sign is E2 82 AC
e2=$(lm-vocab --tsv v | awk '$3 == "%E2" { print $1 }') b82=$(lm-vocab --tsv v | awk '$3 == "%82" { print $1 }')
ac=$(lm-vocab --tsv v | awk '$3 == "%AC" { print $1 }')
{ tok 'id=1 part=0' 64 "$e2"; tok 'id=1 part=1' "$b82"; tok 'id=1 part=2 last=1' "$ac" 65; } | toks '%end n=3 b=10' >parts
is '--utf8-stream puts characters together' "lm-detok --vocab v --utf8-stream parts | grep -a -v ^%" '@doc 1 id=1 part=0
a
@doc 0 id=1 part=1

@doc 4 id=1 part=2 last=1
€b'
is 'without it each part has its own bytes' 'lm-detok --vocab v parts | heads | cut -d " " -f 2 | tr "\n" " "' '2 1 2 '
for w in 64 1G; do
    { tok 'id=1 part=0' $(seq 60 99) "$e2"; tok 'id=1 part=1' "$b82"; tok 'id=1 part=2 last=1' "$ac" $(seq 60 99); } |
        toks '%end n=3 b=166' | lm-detok --vocab v --utf8-stream --window $w >"by$w"
done
bytes '--utf8-stream with a part in pieces' by64 by1G
is '--text joins the parts' 'lm-detok --vocab v --text --utf8-stream parts' 'a€b'
{ tok 'id=1 part=0' 64 "$e2"; tok 'id=2 part=0 last=1' 65; } | toks '%end n=2 b=6' >parts
is 'what a document left unfinished is not lost' 'lm-detok --vocab v --utf8-stream parts | lm-export --to text | od -An -tx1' ' 61 e2 62'
is 'nor at the end' 'lm-detok --vocab v --utf8-stream --text parts | od -An -tx1; head -n 3 parts >one; echo "%end n=1 b=4" >>one;
    lm-detok --vocab v --utf8-stream one | heads | wc -l' ' 61 e2 62
2'
done_testing
