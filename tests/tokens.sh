# tokens.sh: streams of u16 tokens for tests; sourced.
# tokens DOCS SEED [VOCAB]: documents of ids below 60, each id led by the one before, so that there is something to learn
# shellcheck shell=sh
tokens()
{
    # shellcheck disable=SC2059
    printf "$(awk -v docs="$1" -v seed="$2" -v vocab="${3:-0123456789abcdef0123456789abcdef}" '
        function rnd(n) { x = (x * 16807) % 2147483647; return x % n }
        BEGIN {
            x = seed + 1
            printf "%%%%lm 1\\n"
            for (d = 0; d < docs; d++) {
                n = 10 + rnd(50); id = rnd(60); body = ""
                for (i = 0; i < n; i++) {
                    body = body sprintf("\\%03o\\000", id)
                    id = (id * 7 + (rnd(4) ? 1 : 3)) % 60
                }
                printf "@tok %d dt=u16 shape=%d vocab=%s id=%032x bytes=%d\\n%s\\n", n * 2, n, vocab, d, n * 3, body
                b += n * 2
            }
            printf "%%%%end n=%d b=%d\\n", docs, b
        }')"
}
