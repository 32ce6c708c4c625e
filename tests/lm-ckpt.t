#!/bin/sh
# lm-ckpt lists what a run holds and names every kind of damage.
. "${0%/*}/t.sh"
. "$ROOT/tests/tinyrun.sh"
tiny_run run 4 --val data --eval-every 2
again() { rm -rf r; cp -r run r; }
damage() { lm-ckpt --check --tsv "$@" | sed 1d | grep -v "$(printf '\tok\t')" | cut -f 1-5 | tr '\t' ' '; }

# --- lists
table=$(lm-metrics -k step,tokens,loss run/metrics.lm | sed 1d)
is 'steps, tokens and losses are those of the records' 'lm-ckpt --tsv run | sed 1d | cut -f 2-4' "$table"
is 'a head line names the columns' 'lm-ckpt --tsv run | head -n 1 | tr "\t" " "' 'path step tokens loss val params bytes latest'
is 'validation where there was one' 'lm-ckpt --tsv run | sed 1d | cut -f 5 | sed "s/[0-9.][0-9.]*/N/" | tr "\n" ,' ',N,,N,'
is 'bytes are those of the files' 'lm-ckpt --tsv run | sed -n "5p" | cut -f 7' "$(find run/step-00000004 -type f -exec cat {} + | wc -c | tr -d ' ')"
is 'the newest is marked' 'lm-ckpt --tsv run | sed 1d | cut -f 1,8 | grep latest$' "run/step-00000004	latest"
is '.. for people too' 'lm-ckpt run | grep -c "  latest$"' 1
is 'a line for each' 'lm-ckpt run | sed 1,2d | awk "{ print \$1 }" | tr "\n" " "' '1 2 3 4 '
is 'parameters are counted' 'lm-ckpt --tsv model | tail -n 1 | cut -f 6' 45280
is 'a checkpoint by its name is a row of its run' 'lm-ckpt --tsv run/step-00000002 | tail -n 1' "$(lm-ckpt --tsv run | sed -n 3p)"
like 'a model tells its type' 'lm-ckpt run/latest' '^type  *qwen3$'
like '.. its tokenizer' 'lm-ckpt run/latest' "^vocab  *$(lm-vocab model | sed -n 's/^vocab.//p')$"
like '.. and its recipe' 'lm-ckpt run/latest' '^batch-tokens 64$'
is 'several at once' 'lm-ckpt --tsv model run model | cut -f 1 | tr "\n" " "' 'path model run/step-00000001 run/step-00000002 run/step-00000003 run/step-00000004 model '
again
sed '$d' run/metrics.lm >r/metrics.lm; printf '@metric 0 kind=st' >>r/metrics.lm
is 'records of a run at work have no end' 'lm-ckpt --tsv r | sed 1d | cut -f 2-4' "$table"
echo 'no stream' >r/metrics.lm
is 'records that are none: no losses' 'lm-ckpt --tsv r | sed 1d | cut -f 2-4 | head -n 1' "$(printf '1\t64\t')"
is 'a run without checkpoints is empty' 'mkdir e; cp run/metrics.lm e; lm-ckpt --tsv e | wc -l' 1

# --- damage
run 'a whole run' 0 'lm-ckpt --check run'
is '.. is told to be' 'lm-ckpt --check run | sort -u | sed "s/.*://" | uniq' ' ok'
for f in config.json generation_config.json model.safetensors train.safetensors state.json tokenizer.json tokenizer_config.json; do
    again; flip r/latest/$f 20
    run "a flipped bit in $f: exit 1" 1 'lm-ckpt --check r'
    is '.. named with its bytes' 'damage r' "r/step-00000004 corrupt $f 0 $(wc -c <run/latest/$f | tr -d ' ')"
done
again; flip r/latest/model.safetensors "$(($(wc -c <r/latest/model.safetensors) - 9))"
like 'tensors are named' 'lm-ckpt --check r' 'model.safetensors: corrupt: bytes 0-[0-9]* are not what was written; tensors model.embed_tokens.weight to model.norm.weight \(24\)'
is '.. all of them in the table' 'lm-ckpt --check --tsv r | grep corrupt | cut -f 6 | tr , "\n" | wc -l' 24
is '.. and the others are whole' 'lm-ckpt --check r | grep -c ": ok$"' 3
again; sed -i '1s/^[1-9a-f]/0/;t;1s/^./f/' r/latest/MANIFEST
is 'a flipped bit in a hash of MANIFEST' 'damage r' "r/step-00000004 corrupt config.json 0 $(wc -c <run/latest/config.json | tr -d ' ')"
again; flip r/latest/MANIFEST 32
like '.. in its form' 'damage r | head -n 1' '^r/step-00000004 corrupt MANIFEST 0 [0-9]*$'
again; sed -i 's/state.json/stale.json/' r/latest/MANIFEST
is '.. in a name' 'damage r' "r/step-00000004 missing stale.json 0 $(wc -c <run/latest/state.json | tr -d ' ')
r/step-00000004 unlisted state.json 0 $(wc -c <run/latest/state.json | tr -d ' ')"
again; head -c -1 run/latest/MANIFEST >r/latest/MANIFEST
like 'MANIFEST cut' 'damage r' '^r/step-00000004 truncated MANIFEST'
again; sed -i '/train.safetensors/d' r/latest/MANIFEST
like 'MANIFEST that lost a line' 'damage r' '^r/step-00000004 unlisted train.safetensors 0 '
again; sed -i 'p' r/latest/MANIFEST
like 'MANIFEST with every line twice' 'damage r' '^r/step-00000004 corrupt MANIFEST'
again; : >r/latest/MANIFEST
like 'MANIFEST empty' 'damage r' '^r/step-00000004 truncated MANIFEST 0 0'
again; rm r/latest/MANIFEST
is 'MANIFEST missing' 'damage r' 'r/step-00000004 missing MANIFEST 0 0'
again; rm r/latest/tokenizer.json r/step-00000002/train.safetensors
is 'missing files' 'damage r | cut -d " " -f 1-4' 'r/step-00000002 missing train.safetensors 0
r/step-00000004 missing tokenizer.json 0'
again; head -c 30000 run/latest/model.safetensors >r/latest/model.safetensors
is 'a cut file' 'damage r' "r/step-00000004 truncated model.safetensors 0 $(wc -c <run/latest/model.safetensors | tr -d ' ')"
like '.. with the tensors that lay there' 'lm-ckpt --check r' 'truncated: ends at byte 30000 of [0-9]*; tensors model.embed_tokens.weight to model.norm.weight'
fails '.. is told by a list too' 3 'lm-ckpt r' '^lm-ckpt: r/step-00000004/model.safetensors: truncated: '
is '.. that is whole all the same' 'lm-ckpt --tsv r | cut -f 2 | tr "\n" " "' 'step 1 2 3 4 '
again; head -c 9 run/latest/model.safetensors >r/latest/model.safetensors
run 'a cut table' 1 'lm-ckpt --check r'
again; echo >>r/latest/config.json
like 'a file grown' 'lm-ckpt --check r' 'config.json: corrupt: 1 bytes more than MANIFEST lists'
again; echo >r/latest/new; echo >r/latest/.hidden
is 'a file laid beside' 'damage r' 'r/step-00000004 unlisted new 0 1'
run '.. does not stop the training' 0 'tiny_run r 4 --val data --eval-every 2'
again; echo '{' >r/latest/state.json; echo '{"step": 1}' >r/step-00000002/state.json
fails 'state.json that is none' 3 'lm-ckpt r' '^lm-ckpt: r/step-00000002/state.json: .*tokens'
fails '.. and the next, as a warning' 3 'lm-ckpt r' 'warning: r/step-00000004/state.json: '
again; echo '[' >r/latest/config.json
fails 'config.json that is none' 3 'lm-ckpt r/latest' '^lm-ckpt: r/latest/config.json: '
fails 'a folder that is neither' 3 'mkdir x; lm-ckpt x' '^lm-ckpt: x: missing: '
fails 'a folder that is not there' 5 'lm-ckpt none' '^lm-ckpt: none: io: '
run 'a model without MANIFEST cannot be checked' 1 'lm-ckpt --check model'
is '.. which is told' 'lm-ckpt --check model' 'model/MANIFEST: missing: a checkpoint without MANIFEST'
done_testing
