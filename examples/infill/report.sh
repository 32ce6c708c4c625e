#!/bin/sh
# report.sh: what the two models made of the held-out middles. Every figure is read from the files in $O.
# The difference of two models is taken of each file; its standard error is over files.
set -eu
export LC_ALL=C
s=$O/scores

# ratio A [B]: bits a byte of A; with B: A less B, its standard error over files, and their quotient
ratio()
{
    for f; do lm-ls -t doc -k id,logp,size "$s/$f.lm" >"$O/.$f.tsv"; done
    a=$O/.$1.tsv b=$O/.${2:-$1}.tsv
    paste "$a" "$b" | awk -v one=$(($# == 1)) '
        $1 != $4 || $3 != $6 { print "report: not the same middles" >"/dev/stderr"; exit bad = 1 }
        { d[$1] += ((one ? 0 : $5) - $2) / log(2); n[$1] += $3; D += ((one ? 0 : $5) - $2) / log(2); N += $3 }
        END {
            if (bad) exit 1
            r = D / N
            for (i in d) { k++; e = d[i] - r * n[i]; v += e * e }
            se = k > 1 ? sqrt(k / (k - 1) * v) / N : 0
            if (one) printf "%.3f", r; else printf "%+.4f %.4f %+.1f", r, se, (se > 0 ? r / se : 0) }'
    rm -f "$a" "$b"
}
files() { lm-ls -t doc -k id "$1" | sort -u | wc -l; }
count() { lm-ls -t doc "$1" | wc -l; }

params=$(($(wc -c <"$O/init/model.safetensors") / 20000))
for r in base fim; do lm-metrics -k step,tokens "$O/$r/run/metrics.lm" | tail -n 1; done | awk -F'\t' -v p="$params" '
    { s[NR] = $1; t[NR] = $2 / 1e6 }
    END { printf "infill: a model of %.1f M parameters, %d steps, %.1f M tokens, then trained on in two ways, %d steps, %.1f M tokens each\n\n",
        p / 100, s[1], t[1], s[2], t[2] }' | fold -s -w 100 | sed 's/ *$//'
echo "Bits a byte of the true middle, $(files "$O/test/line.lm") held-out files cut in pieces of a context:"
printf '  %-42s %9s %9s %9s\n' '' lines any one
printf '  %-42s %9s %9s %9s\n' 'middles' "$(count "$O/test/line.lm")" "$(count "$O/test/char.lm")" "$(count "$O/test/one.lm")"
row() # NAME SCORES
{
    l=$(ratio "$2-line") a=$(ratio "$2-char") o=$(ratio "$2-one")
    printf '  %-42s %9s %9s %9s\n' "$1" "$l" "$a" "$o"
}
row 'trained to fill in: suffix, prefix (spm)' fim-spm
row 'trained to fill in: prefix, suffix (psm)' fim-psm
row 'trained to fill in, left to right' fim-off
row 'plain, left to right' plain-off
echo
echo 'Less the plain model, standard error over files, and how many of these that is:'
for o in spm psm off; do
    for c in line char one; do
        r=$(ratio "fim-$o-$c" "plain-off-$c")
        printf '  %-4s %-5s %s\n' "$o" "$c" "$r"
    done
done
echo
f=$(ratio fim-whole) p=$(ratio plain-whole)
echo "Whole pieces left to right, bits a byte: trained to fill in $f, plain $p."
exact() { python3 lines.py match "$O/test/one.lm" "$O/gen/$1.lm" | awk -F'\t' '{ printf "%d (%.1f %%)", $1, 100 * $1 / $2 }'; }
s=$(exact spm) m=$(exact psm) p=$(exact plain)
echo "Single lines to the letter, of $(count "$O/test/one.lm"): spm $s, psm $m, plain $p."
echo "Seconds: $(for f in "$O"/times/*; do case $f in *.part) ;; *) awk -v n="${f##*/}" '{ t += $2 - $1 } END { printf "%s %.1f, ", n, t }' "$f" ;; esac; done | sed 's/, $//')" | fold -s -w 100 | sed 's/ *$//'
