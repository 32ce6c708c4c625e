#!/bin/sh
# lm-ckpt-diff measures what differs, and finds nothing where nothing does.
. "${0%/*}/t.sh"
. "$ROOT/tests/tinyrun.sh"
. "$ROOT/tests/st.sh"
tiny_run run 2
run 'a model and itself' 0 'lm-ckpt-diff run/latest run/step-00000002'
is '.. with masters and moments' 'lm-ckpt-diff run/latest run/step-00000002' '96 tensors, 181120 values: 96 the same'
is '.. or without' 'lm-ckpt-diff --weights run/latest run/step-00000002' '24 tensors, 45280 values: 24 the same'
is '.. and a model that has none' 'cp -r run/latest/ bare; rm bare/train.safetensors; lm-ckpt-diff run/latest bare' '24 tensors, 45280 values: 24 the same'
run 'two steps' 1 'lm-ckpt-diff run/step-00000001 run/latest'
is '.. the same bytes by any number of threads' 'for j in 1 2 7; do lm-ckpt-diff --tsv -j $j run/step-00000001 run/latest | cksum; done | uniq | wc -l' 1
is 'a row for every tensor' 'lm-ckpt-diff --tsv run/latest bare | sed 1d | cut -f 2-6 | sort | uniq -c | tr -s " \t" " "' ' 24 bits 0 0 0 1'
cp -r bare hurt
flip hurt/model.safetensors "$(($(wc -c <hurt/model.safetensors) - 2))"
is 'a flipped bit' 'lm-ckpt-diff --tsv bare hurt | grep -v bits | cut -f 1-4' 'tensor	state	differ	ulp
model.norm.weight	differs	1	16'
is '.. summed up' 'lm-ckpt-diff bare hurt | tail -n 1 | cut -d ";" -f 1' '24 tensors, 45280 values: 23 the same, 1 not (1 values)'
run '.. within a bound' 0 'lm-ckpt-diff --tol 0.1 bare hurt'
run '.. and not' 1 'lm-ckpt-diff --tol 0.001 bare hurt'

# --- by hand: 1, 2 in f32 are \0\0\200\77 and \0\0\0\100
one='\0\0\200\077' two='\0\0\0\100' zero='\0\0\0\0' nan='\0\0\300\177' inf='\0\0\200\177'
st1 a F32 2 "$one$two"
# row NAME DATA WANT [DTYPE]: state, differ, ulp, rel-l2, cosine of a and DATA
row()
{
    rm -rf b; st1 b "${4:-F32}" 2 "$2"
    is "$1" 'lm-ckpt-diff --tsv a b | sed 1d | cut -f 2-6 | tr "\t" " "' "$3"
}
row 'twice as long' "$two$zero" 'differs 2 1073741824 1 0.4472135954999579'
row 'one unit' "\\001\\0\\200\\077$two" 'differs 1 1 5.331201499700045e-8 0.9999999999999988'
row 'nan' "$nan$two" 'differs 1 nan nan nan'
row 'another type, equal values' '\200\077\0\100' 'values 0 0 0 1' BF16
row '.. and halves' '\0\074\0\100' 'values 0 0 0 1' F16
row '.. and doubles' '\0\0\0\0\0\0\360\077\0\0\0\0\0\0\0\100' 'values 0 0 0 1' F64
row '.. a unit of the coarser one' '\201\077\0\100' 'differs 1 1 0.0034938562148434213 0.9999951324461405' BF16
row 'a float is no whole number' '\001\0\0\0\002\0\0\0' 'type    ' I32
run '.. which no bound allows' 1 'lm-ckpt-diff --tol 1 a b'
st1 a F32 2 "$zero$nan"
row '0 and -0' "\\0\\0\\0\\200$nan" 'values 0 0 0 1'
run '.. are other bits' 1 'lm-ckpt-diff a b'
run '.. and no difference of values' 0 'lm-ckpt-diff --tol 0 a b'
row 'nan and nan, 0 and 1' "$one$nan" 'differs 1 1065353216 inf 0'
row 'infinite' "$inf$nan" 'differs 1 2139095040 inf 0'
st1 a I64 2 '\377\377\377\377\377\377\377\377\002\0\0\0\0\0\0\0'
row 'whole numbers' '\001\0\0\0\0\0\0\0\002\0\0\0\0\0\0\0' 'differs 1 2 0.8944271909999159 0.5999999999999999' I64
rm -rf b; st1 b F32 2,1 "$one$two"; st1 a F32 2 "$one$two"
is 'another shape' 'lm-ckpt-diff --tsv a b | sed 1d | cut -f 2,7,8' 'shape	F32[2]	F32[2,1]'
st b/model.safetensors '{"a%20b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}' "$one"
is 'other names' 'lm-ckpt-diff --tsv a b | sed 1d | cut -f 1,2,7,8 | tr "\t" " "' 'x only-a F32[2] 
a%2520b only-b  F32[1]'
run '.. are a difference, whatever the bound' 1 'lm-ckpt-diff --tol 9 a b'

# --- files of one model
mkdir two
st two/1.safetensors '{"y":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}' "$one"
st two/2.safetensors '{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}' "$two"
echo '{"weight_map":{"x":"2.safetensors","y":"1.safetensors"}}' >two/model.safetensors.index.json
mkdir whole
st whole/model.safetensors '{"y":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}' "$one$two"
run 'a model in two files and in one' 0 'lm-ckpt-diff two whole'
cp two/2.safetensors two/1.safetensors
fails 'a tensor in two files' 3 'lm-ckpt-diff two whole' '^lm-ckpt-diff: two: corrupt: tensor x is in two files'
rm two/1.safetensors
fails 'a file that is missing' 5 'lm-ckpt-diff whole two' '^lm-ckpt-diff: two/1.safetensors: io: '
echo '{"weight_map":{"x":"../2.safetensors"}}' >two/model.safetensors.index.json
fails 'a file elsewhere' 3 'lm-ckpt-diff whole two' 'x: no file name'
head -c 20000 bare/model.safetensors >hurt/model.safetensors
fails 'a cut file' 3 'lm-ckpt-diff bare hurt' '^lm-ckpt-diff: hurt/model.safetensors: truncated: '
head -c 100 run/latest/train.safetensors >run/step-00000001/train.safetensors
fails 'a cut train.safetensors' 3 'lm-ckpt-diff run/latest run/step-00000001' '^lm-ckpt-diff: run/step-00000001/train.safetensors: truncated: '
fails 'no model' 5 'lm-ckpt-diff bare none' '^lm-ckpt-diff: none/model.safetensors: io: '
done_testing
