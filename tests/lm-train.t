#!/bin/sh
# lm-train: equal bytes whatever the threads and however often it was killed. What goes wrong is in train-faults.t.
. "${0%/*}/t.sh"
. "$ROOT/tests/tokens.sh"
tokens 60 1 >train.toks
tokens 15 77 >val.toks
lm-shard -o train train.toks
lm-shard -o val val.toks
lm-init --layers 2 --dim 32 --heads 2 --kv-heads 1 --ffn 32 --vocab-size 64 --seq 64 -o model
recipe='--seq 16 --batch-tokens 128 --micro 4 --lr 0.01 --warmup 2 --val val --eval-every 6'
# T RUN OPTIONS ..: train on the shards
# shellcheck disable=SC2086
T() { t_run=$1; shift; lm-train -q -m model -o "$t_run" $recipe "$@" train; }
# X RUN OPTIONS ..: the same in the place of its shell: for kill
# shellcheck disable=SC2086
X() { t_run=$1; shift; exec lm-train -q -m model -o "$t_run" $recipe "$@" train; }
# same A B: the checkpoints of two runs are equal, every file
same_ckpt() { diff -r "$1/latest/" "$2/latest/"; }
steps() { lm-metrics -q "$1/metrics.lm"; }

run 'a model is trained' 0 'T one --steps 12'
is 'the folder of the run' 'ls one' 'latest
ledger.lm
lock
metrics.lm
step-00000006
step-00000012'
is 'a checkpoint is a model directory with its state' 'ls one/latest/' 'MANIFEST
config.json
generation_config.json
model.safetensors
state.json
train.safetensors'
run 'the loss falls' 0 'lm-metrics -k loss one/metrics.lm | awk "NR == 2 { a = \$1 } { b = \$1 } END { exit !(b < a - 0.4) }"'
is 'validation at its steps' 'lm-metrics --kind val -k step one/metrics.lm' 'step
6
12'
like 'with bits a byte' 'lm-metrics --kind val -k bpb one/metrics.lm' '^[0-9]\.[0-9]+$'
is 'the ledger has the rows of each step' 'lm-metrics --samples one/ledger.lm | awk "END { print NR }"' 97
run 'and they make the loss' 0 'lm-metrics --samples one/ledger.lm | awk "\$1 == 12 { l += \$3; w += \$4 } END { print l / w }" >mine
    lm-metrics -k loss one/metrics.lm | tail -n 1 | cat mine - | awk "NR == 1 { a = \$1 } END { d = a - \$1; exit !(d < 1e-4 && d > -1e-4) }"'
run 'all streams of the run are whole' 0 'lm-check one/metrics.lm one/ledger.lm'
run 'f32 too' 0 'T f32 --dtype f32 --steps 2'

# --- the same bytes
run 'again, and with one thread' 0 'T two -j 1 --steps 12'
run 'with two threads' 0 'T three -j 2 --steps 12'
run 'equal checkpoints of two runs' 0 'same_ckpt one two'
run 'equal checkpoints of one and two threads' 0 'same_ckpt two three'
run 'equal step records' 0 'steps one >a; steps three >b; cmp a b'
run 'equal ledgers' 0 'cmp one/ledger.lm three/ledger.lm'

# --- stops and kills
run 'SIGTERM: the step is finished, a checkpoint written, exit 6' 0 \
    'X term --steps 5000 --ckpt-every 100000 --eval-every 0 & p=$!; while [ ! -s term/ledger.lm ]; do sleep 0.05; done
    kill -TERM $p; wait $p; [ $? = 6 ] && [ -f term/latest/MANIFEST ] && lm-check term/metrics.lm'
run 'exit 6 is told' 0 'lm-metrics --kind event -k event term/metrics.lm | grep signal'
for i in 1 2 3; do
    X dead --steps 12 --ckpt-every 1 --keep 2 & p=$!
    sleep 0.0$((i * 3)); kill -9 $p; wait $p
done 2>/dev/null
run 'killed three times, then run to its end' 0 'T dead --steps 12 --ckpt-every 1 --keep 2'
run 'its checkpoint is that of the unbroken run' 0 'same_ckpt one dead'
run 'its step records too' 0 'steps one >a; steps dead >b; cmp a b'
run 'its ledger has each step once' 0 'lm-metrics --samples one/ledger.lm >a; lm-metrics --samples dead/ledger.lm >b; cmp a b'
is 'only the newest are kept' 'ls -d dead/step-*' 'dead/step-00000010
dead/step-00000011
dead/step-00000012'
cp -r one torn
sed '$d' one/metrics.lm >torn/metrics.lm
printf '@metric 0 kind=st' >>torn/metrics.lm
head -c -30 one/ledger.lm >torn/ledger.lm
run 'a torn tail is cut, and the run goes on' 0 'T torn --steps 14; T long --steps 14; same_ckpt torn long; lm-check torn/metrics.lm torn/ledger.lm'
run 'a run that is done is done' 0 'cp torn/metrics.lm m; T torn --steps 14 && cmp m torn/metrics.lm'
run 'every 2nd multiple of the steps is kept for ever' 0 'T major --steps 12 --ckpt-every 2 --keep 1 --major 2 --eval-every 0; [ "$(ls -d major/step-* | tr -dc "0-9\n" | tr "\n" " ")" = "00000004 00000008 00000012 " ]'

for arch in gpt2 mpt; do
    lm-init --arch $arch --layers 2 --dim 32 --heads 2 --vocab-size 64 --seq 16 -o m-$arch
    # shellcheck disable=SC2086
    run "$arch is trained" 0 "lm-train -q -m m-$arch -o $arch $recipe --steps 12 train; cp -r $arch $arch-again; rm $arch-again/step-00000012/MANIFEST"
    # shellcheck disable=SC2086
    run 'and taken up again half way it ends with the same bytes' 0 "lm-train -q -m m-$arch -o $arch-again $recipe --steps 12 train; same_ckpt $arch $arch-again"
done

# --- a stream
lm-pack -q --mode concat --seq 16 train.toks >rows.lm
run 'a stream is trained on as it comes' 0 'lm-train -q -m model -o pipe --batch-tokens 128 --micro 4 --steps 12 - <rows.lm'
run 'loose documents make the rows of lm-pack' 0 'lm-train -q -m model -o loose --seq 16 --batch-tokens 128 --micro 4 --steps 12 - <train.toks; same_ckpt pipe loose'
run 'its end is the end' 0 'lm-train -q -m model -o short --seq 16 --batch-tokens 128 --micro 4 --steps 10000 --ckpt-every 100000 - <train.toks && lm-check short/metrics.lm'

# --- tokens that see each other
awk 'BEGIN { for (i = 0; i < 60; i++) { f = "say" i; for (k = 0; k < 20 + i % 30; k++) printf "word%d of %d, ", k % 7, i % 5 > f; close(f) } }'
lm-import say? say?? >text.lm; rm say*
lm-bpe-train -q -o tok --vocab-size 800 --reserve 512 --pad-to 1 --allow-short text.lm
lm-init --layers 2 --dim 32 --heads 2 --kv-heads 1 --ffn 32 --vocab tok --seq 64 -o sees
lm-tok --vocab tok text.lm | lm-objective --vocab tok --mix ul2 >ul2.toks
lm-pack -q --seq 64 ul2.toks >ul2.rows
LC_ALL=C sed 's/ prefix=[0-9]*//' ul2.toks | lm-pack -q --seq 64 >blind.rows
lm-shard -o ul2 ul2.rows
lm-shard -o blind blind.rows
lm-shard -o whole ul2.toks
# P RUN OPTIONS .. DATA: train rows of 64 tokens in the order they lie
P() { t_run=$1; shift; lm-train -q -m sees -o "$t_run" --batch-tokens 256 --micro 2 --shuffle none --lr 0.01 --warmup 2 "$@"; }
bhash() { grep -ao 'loss=[^ ]*.*bhash=[0-9a-f]*' "$1/metrics.lm" | sed 's/^\(loss=[^ ]*\).*\(bhash=.*\)/\1 \2/'; }
run 'rows of lm-objective are trained on from shards' 0 'P p1 --steps 8 ul2'
run '.. and from a stream' 0 'P p2 --steps 8 - <ul2.rows'
run '.. with the same steps' 0 'bhash p1 >a; bhash p2 >b; cmp a b && [ "$(wc -l <a)" = 8 ]'
run '.. also where rows cut the documents' 0 'P p3 --seq 32 --steps 8 whole; P p4 --seq 32 --steps 8 - <ul2.toks; bhash p3 >p3.steps; bhash p4 | cmp - p3.steps && [ "$(wc -l <p3.steps)" = 8 ]'
run '.. and with documents not apart' 0 'P p5 --pack plain --steps 8 ul2; P p6 --pack plain --steps 8 - <ul2.rows; bhash p5 >a; bhash p6 >b; cmp a b && ! bhash p1 | cmp -s - a'
run '.. and from lm-rows' 0 'lm-rows --shuffle none --seq 32 -n 200 whole | P p8 --seq 32 --steps 8 - && bhash p8 | cmp - p3.steps'
run '.. the same bytes by any number of threads' 0 'P p7 -j 1 --steps 8 ul2; same_ckpt p1 p7'
run 'what is seen changes the loss, from the first step on' 0 'P b1 --steps 8 blind; bhash b1 >b; paste -d " " a b | awk "\$1 == \$3 { exit 1 }"'
run '.. but a token that sees itself is causal' 0 'LC_ALL=C sed "s/ prefix=[0-9]*/ prefix=1/" ul2.toks | lm-pack -q --seq 64 | P b2 --steps 8 -; bhash b2 | cmp - b'
zeros() { printf '@tok %d dt=u16 shape=%d vocab=0123456789abcdef0123456789abcdef prefix=%d\n' $(($1 * 2)) "$1" "$2"; head -c $(($1 * 2)) /dev/zero; echo; }
{ echo '%lm 1'; zeros 64 64; zeros 64 33; zeros 1 0; echo '%end n=3 b=258'; } >zeros.toks
is 'what is seen is not asked for' 'lm-train -q -m model -o zeros --seq 64 --batch-tokens 128 --micro 1 --steps 1 - <zeros.toks
    lm-metrics --samples zeros/ledger.lm | cut -f 4 | tr "\n" " "' 'weight 0 31 '
run '.. and the loss falls' 0 'P learn --shuffle full --batch-tokens 1024 --sched const --steps 60 ul2 && lm-metrics -k loss learn/metrics.lm | awk "NR == 2 { a = \$1 } { b = \$1 } END { exit !(b < a - 2) }"'

# --- damage
flip() # FILE BYTE: turns a bit of it
{
    c=$(dd if="$1" bs=1 skip="$2" count=1 2>/dev/null | od -An -tu1)
    # shellcheck disable=SC2059
    printf "\\$(printf %03o $((c ^ 16)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
rm -rf hurt; cp -r one hurt
rm hurt/step-0000000*/MANIFEST hurt/step-00000012/MANIFEST
fails 'no checkpoint is whole' 3 'T hurt --steps 12' 'missing: a checkpoint without MANIFEST'
cp -r train cutshard; head -c 900 train/00000.lm >cutshard/00000.lm
fails 'a cut shard' 3 'lm-train -m model -o x $recipe cutshard' 'cutshard/00000.lm:[0-9]*:[0-9]*: truncated'
cp -r train hurtshard; flip hurtshard/00000.lm 1000
fails 'a flipped bit in a shard' 3 'lm-train -q -m model -o x $recipe --steps 20 hurtshard' 'hurtshard/00000.lm: corrupt: block 0 of tokens'
run 'nothing was trained' 0 '[ ! -e x/latest ]'
lm-init --layers 1 --dim 32 --heads 2 --ffn 32 --vocab-size 50 --seq 64 -o few
fails 'ids beyond the vocabulary' 3 'lm-train -q -m few -o x2 $recipe train' 'invalid: block 0 .* beyond the 50'
fails 'rows longer than the context' 3 'lm-train -q -m model -o x7 --seq 128 train' 'context is 64'
fails 'another recipe on resume' 3 'T one --steps 20 --seq 8' 'mismatch: seq was 16, now 8: give the old value, or --allow-drift'
fails 'other data' 3 'lm-train -q -m model -o one $recipe --steps 20 val' 'mismatch: data was'
run 'may be allowed, and is recorded' 0 'cp -r one drift; T drift --steps 14 --wd 0.2 --allow-drift; lm-metrics --kind event -k change drift/metrics.lm | grep "wd:0.1->0.2"'
run 'rate and horizon may change freely' 0 'cp -r one free; T free --steps 16 --lr 0.02'
lm-init --layers 1 --dim 32 --heads 2 --ffn 32 --vocab-size 64 --seq 64 --dtype f32 -o huge
at=$(($(wc -c <huge/model.safetensors) - 4))
printf '\377\377\177\177' | dd of=huge/model.safetensors bs=1 seek=$at conv=notrunc 2>/dev/null
fails 'a loss that is not finite: exit 7' 7 'lm-train -q -m huge -o wild $recipe --dtype f32 train' 'diverged: step 1: the loss is not finite'
run 'recorded as an event, and the log aborted' 0 'grep -aq "^@event .*event=diverged" wild/metrics.lm && tail -n 1 wild/metrics.lm | grep -q "^%abort code=7"'
run 'a full disk: the old checkpoint stands, a warning, then exit 5' 0 \
    'T full --steps 4 --eval-every 0; (trap "" XFSZ; ulimit -f 40; lm-train -m model -o full $recipe --eval-every 0 --ckpt-every 1 --steps 12 train 2>msg); s=$?
    [ $s = 5 ] && grep "warning: step 5: no checkpoint" msg && [ "$(readlink full/latest)" = step-00000004 ] && ! ls -d full/*.tmp* 2>/dev/null'
run 'records to standard output; its reader may leave' 0 'T out --steps 12 --metrics - | head -n 3 >/dev/null; [ -f out/step-00000012/MANIFEST ]'
fails 'records that cannot be written to their end: exit 5' 5 'T lost --steps 2 --metrics - >/dev/full' '-: io: cannot write'
M() { t_run=$1; shift; lm-train -q -m model -o "$t_run" --seq 16 --batch-tokens 128 --micro 4 --mix 3,1 "$@" train val; }
run 'a mixture is trained on, and goes on as if never stopped' 0 'M mix --steps 8; M mixed --steps 4 --sched const; M mixes --steps 8 --sched const; M mixed --steps 8 --sched const; same_ckpt mixed mixes'
fails 'another mixture is another recipe' 3 'M mixed --steps 12 --sched const --mix 1,1' 'mix'
fails 'a stream comes in its own order' 2 'lm-train -q -m model -o x9 --mix 1 --seq 16 - <train.toks' 'mix: a stream comes in its own order'
fails 'and takes no other' 2 'lm-train -q -m model -o x9 --shuffle block --seq 16 - <train.toks' 'shuffle: a stream comes in its own order'
fails 'batch and micro must fit' 2 'lm-train -m model -o x8 --seq 16 --batch-tokens 100 --micro 4 train' 'no multiple'
run 'documents on the skip list have no weight: nothing can be learnt' 0 'i=0; while [ $i -lt 60 ]; do printf "%032x\n" $i; i=$((i + 1)); done >all
    lm-train -q -m model -o skip $recipe --steps 2 --skip-ids all train 2>msg; [ $? = 3 ] && grep "invalid: no token of any step has a weight" msg'

skip_without peers:transformers
cat >load.py <<'P'
import sys
from safetensors import safe_open
from transformers import AutoModelForCausalLM
m = AutoModelForCausalLM.from_pretrained(sys.argv[1])
with safe_open(sys.argv[1] + '/model.safetensors', 'pt') as f:
    same = sum(f.get_tensor(k).float().equal(m.state_dict()[k].float()) for k in f.keys())
    print(type(m).__name__, same == len(f.keys()) > 10)
P
is 'transformers loads a checkpoint as it lies' '"$LM_PEERS" load.py one/latest 2>/dev/null' 'Qwen3ForCausalLM True'
done_testing
