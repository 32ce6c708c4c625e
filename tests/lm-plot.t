#!/bin/sh
# lm-plot draws training curves.
. "${0%/*}/t.sh"
awk 'BEGIN { for (i = 1; i <= 400; i++) { n++; printf "@metric 0 kind=step step=%d tokens=%d loss=%.4f lr=0.%03d\n\n", i, i * 1000, 2 + 8 / i, i
    if (i % 2) { n++; printf "@metric 0 kind=time step=%d ms=1800000\n\n", i }
    if (i % 100 == 0) { n++; printf "@metric 0 kind=val step=%d tokens=%d loss=%.4f\n\n", i, i * 1000, 2.5 + 8 / i } }
    printf "%%end n=%d b=0\n", n + 1 }' >body
{ printf '%%lm 1\n@run 0 run=a1 step=0\n\n'; cat body; } >a.lm
stream '@run run=b1 step=0' '' '@metric kind=step step=1 loss=4' '' '@metric kind=step step=400 loss=3' '' '@event event=spike step=200' '' >b.lm

stream '@run run=c1 step=0' '' '@metric kind=step step=1 tokens=5 loss=4' '' '@event event=rewind step=7' '' >s.lm

golden 'a curve as text' 'lm-plot --term a.lm -k loss'
golden 'two runs as text on a logarithmic axis' 'lm-plot --term --log x -k loss a.lm b.lm'
golden 'a small picture' 'lm-plot --width 300 --height 200 --title "a < b" b.lm'
is 'curves, validation marks, legend' 'lm-plot a.lm | grep -c "<circle"' 5
like 'the picture is XML to its end' 'lm-plot a.lm | tail -n 1' '^</svg>$'
like 'tokens can run along the axis' 'lm-plot --x tokens a.lm' '>200k<'
like 'hours are the sum of the times' 'lm-plot --x hours a.lm' '>hours<'
like 'the last hour is there' 'lm-plot --x hours a.lm' '>100<'
like 'a spike is marked' 'lm-plot b.lm' 'stroke-dasharray'
is 'a spike is marked in text, in each line of its column' 'lm-plot --term -k loss b.lm | grep -c "┊"' 16
is 'a spike the axis cannot show is not' 'lm-plot --term --x tokens -k loss a.lm s.lm | grep -c "┊"' 0
like 'several runs, their names' 'lm-plot a.lm b.lm | tr -d "\n"' '>a loss<.*>a val loss<.*>b loss<'
like 'smoothing leaves the raw curve pale' 'lm-plot --smooth 0.9 a.lm' 'stroke-opacity="0.25"'
run 'many points take no more room than the pixels' 0 \
    'awk "BEGIN { print \"%lm 1\"; for (i = 1; i <= 50000; i++) printf \"@metric 0 kind=step step=%d loss=%.3f\n\n\", i, i % 97; print \"%end n=50000 b=0\" }" >big.lm
    [ $(lm-plot big.lm | wc -c) -lt 60000 ]'
fails 'a key that no record has is told' 3 'lm-plot -k lsos a.lm' 'no record has a value named lsos'
stream '@metric kind=step step=1 loss=nan' '' >nan.lm
fails 'nothing but nan cannot be drawn' 3 'lm-plot nan.lm' 'nothing to plot'
done_testing
