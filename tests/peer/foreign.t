#!/bin/sh
# Tokens go to the files of other programs and come from them unchanged: ids and ends of documents, for ids of two bytes
# and of four, over several files, each way by the program the format is of: mosaicml-streaming, megatron-core, datatrove,
# numpy; llm.c's by its layout. Where the same is asked of both, the bytes are the same.
# shellcheck disable=SC2086 # options
. "${0%/*}/../t.sh"
skip_without peers:numpy
HF_HUB_OFFLINE=1 PYTHONWARNINGS=ignore LOGURU_LEVEL=ERROR
export HF_HUB_OFFLINE PYTHONWARNINGS LOGURU_LEVEL
peer() { "$LM_PEERS" "$ROOT/tests/peer/foreign.py" "$@"; }
have=$(peer has streaming megatron.core.datasets.indexed_dataset datatrove 2>/dev/null)
has() { case " $have " in *" $1 "*) ;; *) note "no $1: its tests are left out"; return 1 ;; esac; }
printf 'int main(void) { return 0; }\n' | lm-import - >text.lm
lm-bpe-train --vocab-size 320 --reserve 32 --allow-short -o u16 text.lm
lm-bpe-train --vocab-size 66048 --reserve 65536 --allow-short -o u32 text.lm
for w in u16 u32; do
    size=$(lm-vocab $w | awk '$1 == "size" { print $2 }') eos=$(lm-vocab $w | awk '$1 == "eos" { print $2 }')
    hash=$(lm-vocab $w | awk '$1 == "vocab" { print $2 }')
    peer gen 200 $size $eos $hash >$w.full.lm
    peer gen 210 $size $eos $hash empty >$w.empty.lm
    peer gen 220 $size $eos $hash weights >$w.weights.lm
    lm-pack -q --mode concat --seq 64 --drop-tail $w.full.lm >$w.rows.lm
done
run 'there is something to compare' 0 'for f in u*.lm; do lm-check $f && [ $(heads $f | wc -l) -gt 100 ] || exit 1; done'

# A peer takes seconds to load, so its work is done at once: what it is to write, then what it is to read. before and
# after have its commands, a line each, then.N the name of the test of line N of after.
: >before
: >after
m=0 n=0
# ours NAME CMD COMMAND: once CMD has run, COMMAND of foreign.py must succeed
ours()
{
    n=$((n + 1))
    echo "$1" >name.$n
    echo "$2" >cmd.$n
    echo "$3" >>after
}
# out WIDTH STREAM FORMAT[:VARIANT] [OPTION ..]: the peer reads what we write
out()
{
    w=$1 s=$2 k=$3 && shift 3
    o=o.$((n + 1))
    ours "$k of $w.$s${1:+, $*}: the peer reads it" "lm-export -q --to ${k%%:*} $* -o $o $w.$s.lm" "read $k $o $w.$s.lm"
}
# into WIDTH STREAM FORMAT[:VARIANT] [OPTION ..]: we read what the peer writes
into()
{
    w=$1 s=$2 k=$3 && shift 3
    m=$((m + 1))
    echo "write $k $w.$s.lm p.$m" >>before
    ours "$k of $w.$s${1:+, $*}: written by the peer, it is read" \
        "lm-import --from ${k%%:*} --vocab $w $* p.$m >got.$((n + 1)) && lm-check got.$((n + 1))" \
        "same $w.$s.lm got.$((n + 1)) $([ $s != weights ] || echo weights)"
}
# both WIDTH STREAM FORMAT[:VARIANT] [OPTION ..]: out and into, and the bytes are the same
both()
{
    of="$3 of $1.$2"
    into "$1" "$2" "$3"
    w=$1 s=$2 k=${3%%:*} && shift 3
    out $w $s $k "$@"
    echo "$of: the same bytes: diff -r $o p.$m" >>diffs
}

for w in u16 u32; do
    if has streaming; then
        out $w full mds:streaming
        both $w empty mds --size 4K
        both $w rows mds:rows --size 4K
        for v in i64:i64 ndarray: typed: typed+columns: ndarray+zstd: typed+gz: typed+bz2:9: typed+zstd:7: i64+columns:i64; do
            t=${v##*:}
            case $t in i64) t='--dtype i64' v=${v%:*} ;; '') v=${v%:} t= ;; *) t= ;; esac
            into $w full mds:$v $t
        done
        into $w rows mds:wide
    fi
    if has megatron.core.datasets.indexed_dataset; then
        both $w empty megatron
        out $w full megatron --size 4K
        out $w rows megatron
        into $w empty megatron:sentences
        into $w full megatron:int64
    fi
    out $w empty megatron:layout --size 4K
    out $w full llmc
    out $w full llmc --size 4K
    into $w full llmc
    if has datatrove; then
        both $w empty datatrove:one --tokenizer some/name
        out $w full datatrove --size 4K
        out $w weights datatrove --size 4K
        into $w weights datatrove:loss
        into $w full datatrove:old --dtype $w
        into $w full megatron:datatrove
    fi
    both $w full npy
    both $w rows npy
    for v in i4 i8 +2 i8+3; do into $w full npy:$v; done
    out $w full raw
    into $w full raw --dtype $w
    into $w full raw:i64 --dtype i64
done
run 'the peers write' 0 'peer all before >wrote && [ "$(grep -c "^ok" wrote)" = "$(wc -l <before)" ]'
grep -a '^not' wrote | while read -r line; do note "$line"; done
i=0
while [ $i -lt $n ]; do
    i=$((i + 1))
    (eval "$(cat cmd.$i)") </dev/null >cmd.out 2>cmd.err || note "$(cat name.$i): $(head -n 1 cmd.err)"
done
peer all after >found 2>found.err </dev/null
i=0
while [ $i -lt $n ]; do
    i=$((i + 1))
    : >"$err"
    said=$(sed -n "s/^ok $i //p" found)
    if [ -n "$said" ]; then t_ok "$(cat name.$i)"; note "$said"; else t_not "$(cat name.$i)" "$(grep -a "^not ok $i " found)"; fi
done
[ -s found ] || note "$(tail -n 3 found.err)"
while IFS= read -r line; do
    run "${line%: diff*}" 0 "diff${line##*: diff}"
done <diffs
is 'rows stay rows' 'grep -al " seq=64 mode=concat" got.* | wc -l' "$(grep -lE '(mds:rows|mds:wide|npy) of u[0-9]*.rows: written' name.* | wc -l)"
done_testing
