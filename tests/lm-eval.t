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
done_testing
