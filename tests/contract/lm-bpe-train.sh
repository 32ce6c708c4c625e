# lm-bpe-train learns a small vocabulary; a stream without a document is an error of its own (its test).
# shellcheck shell=sh disable=SC2034,SC2086
opts='--vocab-size 320 --reserve 8'
skip='16'
# More words than its tables have room for; counts written, read, joined.
faults()
{
    awk 'BEGIN {
        for (srand(7); i < 120000; i++) {
            s = ""
            for (k = i % 3 ? 20 : 10; k; k--) s = s sprintf("%c", 97 + int(26 * rand()))
            printf "%s%s", s, i % 8 == 7 ? "\n" : " "
        }
    }' | lm-import --max-bytes 1G - >many.lm
    # shellcheck disable=SC2086 # options are words
    lm-bpe-train $opts --counts-out kept.lm in.lm
    try 'spilling' '-m 16M --tmp .' many.lm
    also=counts.lm
    try 'counts kept' '--counts-out counts.lm' in.lm
    try 'counts kept, spilling' '-m 16M --tmp . --counts-out counts.lm' many.lm
    try 'counts taken and kept' '--counts-in kept.lm --counts-in kept.lm --counts-out counts.lm' ''
}
