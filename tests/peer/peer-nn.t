#!/bin/sh
# The neural core against transformers: logits, gradients, steps, directories, greedy text.
cd "${0%/*}/../.." || exit 1
if [ -z "$LM_PEERS" ]; then
    echo '1..0 # SKIP no LM_PEERS'
    exit 0
fi
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
"$LM_PEERS" tests/peer/nn.py "build/${CONF:-release}/peer/nn" "$dir" 2>"$dir/err" || { sed 's/^/# /' "$dir/err" | tail -n 20; exit 1; }
