#!/bin/sh
# lm-gen continues prompts; what a prompt gets depends on itself, the model and the options alone.
. "${0%/*}/t.sh"
. "$ROOT/tests/tinymodel.sh"
run 'a tiny model is made' 0 'tiny_model m'
stream '@prompt id=a stop-1=ret' 'def add(a, b):' '@prompt id=b n=2' 'x' '@task name=t' '' '@prompt id=c seed=5' '' \
    '@doc path=a.py' 'def' >p.lm
gens() { heads | cut -d ' ' -f "$1"; }

is 'a run record comes first, others keep their place, prompts alone are answered' \
    'lm-gen -m m --max-tokens 4 p.lm | gens 1 | tr "\n" " "' '@run @gen @gen @gen @task @gen @doc '
is 'a gen record tells its prompt and sample' \
    'lm-gen -m m --max-tokens 4 p.lm | heads | grep ^@gen | cut -d " " -f 3,4 | tr "\n" " "' \
    'id=a sample=0 id=b sample=0 id=b sample=1 id=c sample=0 '
o='--temp 1.2 --top-k 50 --top-p 0.98 --max-tokens 20 -n 3 --ids --logprobs 2'
run 'a plan of draws' 0 "lm-gen -m m $o p.lm >want"
for w in '-j 1' '-j 2 --batch 1' '--batch 3 --chunk 1' '--batch 16 --kv-mem 1M'; do
    run "$w runs" 0 "lm-gen -m m $o $w p.lm >have"
    bytes "$w changes no byte" want have
done
for d in ref avx2 avx512f; do
    if LM_DEVICE=$d lm-gen -m m --max-tokens 1 p.lm >/dev/null 2>&1; then
        run "LM_DEVICE=$d runs" 0 "LM_DEVICE=$d lm-gen -m m $o p.lm >have"
        bytes "LM_DEVICE=$d changes no byte" want have
    fi
done
stream '@prompt id=c seed=5' '' >one.lm
only_c() { lm-select -e 'id == c' -t gen,tok,logp | lm-select -e 'id?'; }
# shellcheck disable=SC2086
lm-gen -m m $o p.lm | only_c >want
# shellcheck disable=SC2086
lm-gen -m m $o one.lm | only_c >have
bytes 'a prompt alone gets what it gets among others' want have
is 'another seed draws another text' 'lm-gen -m m --temp 1 -s 1 one.lm | cksum >a; sed "s/ seed=5//" one.lm >two.lm
    for s in 1 2; do lm-gen -m m --temp 1 -s $s two.lm | sed 1,2d | sed "s/seed=[0-9]*//"; done | sort -u | grep -c ^@gen' 2
is 'a document is a prompt under -t doc' 'lm-gen -m m -t doc --max-tokens 3 p.lm | heads | grep -c ^@gen' 1
is 'a prompt that leaves no room has finish=context' \
    'lm-gen -m m --max-tokens 60 p.lm | heads | grep -o "id=a.*finish=[a-z]*"' 'id=a sample=0 finish=context'
is '--truncate left cuts it instead' \
    'lm-gen -m m --max-tokens 60 --truncate left p.lm | heads | grep -c finish=context' 0
stream '@prompt id=b' 'x = ' >x.lm
is '--ids gives prompt and generation with weights' \
    'lm-gen -m m --max-tokens 3 --ids x.lm | heads | grep ^@tok | sed "s/vocab=[0-9a-f]* //"' \
    '@tok 23 id=b sample=0 dt=u16 shape=7 with=weight:u8:7'
is '--logprobs gives a row a token' \
    'lm-gen -m m --max-tokens 3 --logprobs 1 x.lm | heads | grep ^@logp | cut -d " " -f 2,5-' \
    '48 dt=f32 shape=3,2 with=ids:u32:3x2'
is '--load-as says the arithmetic' 'lm-gen -m m --load-as bf16 --max-tokens 1 x.lm | heads | grep -o "load-as=[a-z0-9]*"' load-as=bf16
is '.. and bf16 is not f32' 'for a in f32 bf16; do lm-gen -m m --load-as $a --logprobs 0 --max-tokens 8 x.lm | sed "s/load-as=[a-z0-9]*//" | cksum; done | sort -u | wc -l' 2
stream '@prompt id=f cut=3' 'a+bc+d' >fim.lm
is 'a prompt with cut= is laid out for infilling' \
    'lm-gen -m m --max-tokens 1 fim.lm | heads | grep -o "prompt-tokens=[0-9]*"' 'prompt-tokens=9'
stream '@prompt id=f cut=60' "$(printf '%060d%060d' 1 2)" >long.lm
stream '@prompt id=f cut=7' "$(printf '%07d%07d' 1 0)" >short.lm
is '--truncate left keeps what lies next to the hole, and the marks' \
    'lm-gen -m m --ctx 37 --max-tokens 20 --truncate left long.lm | sed "s/ctx=[0-9]* //;s/truncate=[a-z]*//" | sed "/^%by/d"' \
    "$(lm-gen -m m --max-tokens 20 short.lm | sed 's/ctx=[0-9]* //;s/truncate=[a-z]*//' | sed '/^%by/d')"
fails 'cut= beyond the body is told' 3 'sed s/cut=3/cut=7/ fim.lm | lm-gen -m m' '^lm-gen: stdin:0:6: invalid: cut='
fails 'no model is a usage error' 2 'lm-gen p.lm' 'needed'
fails 'a folder without a model is told' 5 'lm-gen -m . p.lm' 'config.json: io:'
cp -r m broken && head -c 200 m/model.safetensors >broken/model.safetensors
fails 'a cut model file is told' 3 'lm-gen -m broken p.lm' 'model.safetensors: '
done_testing
