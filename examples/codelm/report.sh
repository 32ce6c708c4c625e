#!/bin/sh
# report.sh: what the stages in $O found, on one screen. Every figure is read from their files.
set -eu
export LC_ALL=C
d=$O
tab=$(printf '\t')

# ends FILE: "documents bytes", as the stream's own last line has them
ends() { tail -n 1 "$1" | sed -n 's/^%end n=\([0-9]*\) b=\([0-9]*\).*/\1 \2/p'; }
attr() { sed -n "s/.* $1=\([^ ]*\).*/\1/p"; }                     # of the header lines on stdin
row() # STAGE FILE REASON
{
    ends "$2" | awk -v stage="$1" -v why="$3" '
        function commas(n, s) { s = ""; while (n >= 1000) { s = sprintf(",%03d", n % 1000) s; n = int(n / 1000) } return n s }
        { s = sprintf("  %-10s %6s %12s   %s", stage, commas($1), commas($2), why); sub(/ +$/, "", s); print s }'
}
# tally: the lines on stdin, counted: "a 3, b 1", most first
tally() { sort | uniq -c | sort -k1,1nr -k2 | awk '{ n = $1; sub(/^ *[0-9]+ /, ""); printf "%s%s: %d", (NR > 1 ? ", " : ""), $0, n }'; }

echo "codelm: a model of code from the Python standard library ($(lm-ls "$d/raw.lm" | head -n 1 | attr src))"
echo
echo '  stage        files        bytes   what the stage did'
row import "$d/raw.lm" ''
row dedup "$d/dedup.lm" "dropped: $(lm-ls "$d/dup.lm" | awk '{ print / dup-of=/ ? "near duplicates" : "equal files" }' | tally)"
row filter "$d/filter.lm" "dropped: $(lm-ls "$d/reject.lm" | attr drop | sed 's/^lm-linefilter:rule://; s/^lm-linefilter://; s/:/ /; s/%20/ /g' | tally)"
row pii "$d/pii.lm" "replaced: $(lm-ls "$d/pii.lm" | attr pii | sed 's|[,;]|\n|g' | sed 's/:.*//' | tally)"
for s in train valid test; do row "$s" "$d/split/$s.lm" ''; done
echo

# --- model
vocab=$(lm-vocab "$d/vocab" | sed -n "s/^size$tab//p")
tokens=$(lm-ls "$d/shards/train/index.lm" | attr tokens | awk '{ s += $1 } END { print s }')
scores=$(lm-ls -t score "$d/eval.lm")
score() { printf '%s\n' "$scores" | grep " name=$1 " | attr value; }
params=$(($(wc -c <"$d/init/model.safetensors") / 20000))
steps=$(lm-metrics -k step,tokens,loss "$d/run/metrics.lm" | tail -n 1)
secs() { awk '{ s += $2 - $1 } END { printf "%.1f", s }' "$d/times/$1"; } # STAGE
# The step in the middle of all, by speed: what begins, saves and is disturbed is left out of it.
middle() { lm-metrics -q --kind time -k "$1" "$d/run/metrics.lm" | sed 1d | sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
printf '%s\n' "$steps" | awk -F'\t' -v v="$vocab" -v t="$tokens" -v p="$params" -v b="$(score bytes-per-token)" -v s="$(secs train)" \
    -v tps="$(middle tps)" -v peak="$(middle mfu)" -v gemm="$(middle mfu-measured)" '{
    printf "Vocabulary of %d tokens, %.2f bytes each on the held-out files; %.2f M tokens to train on.\n", v, b, t / 1e6
    printf "Model of %.1f M parameters, %d steps, %.2f M tokens seen in %.0f s: %.0f tokens a second,\n", p / 100, $1, $2 / 1e6, s, tps
    printf "%.0f %% of the multiply-adds this machine reaches, %.0f %% of what its fastest product does.\n", 100 * peak, 100 * gemm }'
echo
cat "$d/loss.txt"
echo

# --- held-out bits a byte, all of the same bytes
held=$d/held-out.py
bytes=$(wc -c <"$held")
echo "Bits a byte on $(ends "$d/split/test.lm" | cut -d' ' -f1) held-out files, $bytes bytes:"
{
    od -An -v -tu1 "$held" | awk '{ for (i = 1; i <= NF; i++) n[$i]++; t += NF }
        END { for (b in n) h -= n[b] * log(n[b] / t) / log(2); printf "order-0\t%.3f\n", h / t }'
    printf 'gzip -9\t%s\n' "$(gzip -9nc "$held" | wc -c | awk -v n="$bytes" '{ printf "%.3f", $1 * 8 / n }')"
    printf 'xz -9e\t%s\n' "$(xz -9ec "$held" | wc -c | awk -v n="$bytes" '{ printf "%.3f", $1 * 8 / n }')"
    score bits-per-byte | awk '{ printf "this model\t%.3f\n", $1 }'
} | awk -F'\t' '{ printf "  %-11s %s  ", $1, $2; for (i = 0; i < $2 * 10; i++) printf "="; print "" }'
echo

# --- tasks
awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next }
    { v = $c["verdicts"]; gsub(/:/, " ", v); gsub(/,/, ", ", v)
      s = s sprintf("%s%s %.1f %%", s ? ", " : "", $c["name"], 100 * $c["value"])
      tail = sprintf("%d tasks, %d tries: %s", $c["n"], $c["samples"], v) }
    END { if (s) print s " of " tail "; sandbox level '"$(lm-ls -t verdict "$d/verdicts.lm" | head -n 1 | attr level)"'."
          else print "No pass@k: no sandbox on this machine, the generated programs were not run." }' "$d/passk.txt"
echo
echo 'Three prompts and how the model goes on:'
n=0
lm-export -t gen --text body "$d/samples.lm" >"$d/samples.jsonl"
for p in prompts/*; do
    n=$((n + 1))
    { sed 's/^/  | /; s/ *$//' "$p"; sed -n "${n}p" "$d/samples.jsonl" | python3 -c '
import base64, json, sys
j = json.loads(sys.stdin.read())
text = j["body"] if "body" in j else base64.b64decode(j["body_base64"]).decode("utf-8", "replace")
for line in text.split("\n")[:5]: print(("  > " + "".join(c if c.isprintable() else "?" for c in line[:90])).rstrip())'; }
done
echo
echo "Seconds: $(for f in "$d"/times/*; do case $f in *.part) ;; *) printf '%s %s, ' "${f##*/}" "$(secs "${f##*/}")" ;; esac; done | sed 's/, $//')" | fold -s -w 100 | sed 's/ *$//'
short=$(printf '%s\n' "$d" | sed 's|^\(\.\./\)*||')
echo "Loss curve: $short/loss.svg; model: $short/run/latest"
