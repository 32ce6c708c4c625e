#!/bin/sh
# lm-passk: pass@k, intervals, comparisons, and when it gives no number.
. "${0%/*}/t.sh"

# v ID N C [TASK [LANG]]: N verdicts of a problem, C of them passed
v()
{
    t_i=0
    while [ $t_i -lt "$2" ]; do
        if [ $t_i -lt "$3" ]; then t_v=PASS; else t_v=FAIL; fi
        printf '@verdict 0 id=%s sample=%d task=%s lang=%s verdict=%s\n\n' "$1" $t_i "${4:-t}" "${5:-python}" $t_v
        t_i=$((t_i + 1))
    done
}
set_of() { printf '%%lm 1\n'; cat; } # records -> a stream
end() { awk '{print} /^@/{k++} END{printf "%%end n=%d b=0\n",k}'; }
tab() { lm-passk --tsv "$@" | cut -f "$cols"; }

{ v a 6 3; v b 6 0; } | set_of | end >ab.lm
cols=1,4,9,10,12
is 'pass@1 is the mean of c / n' 'tab ab.lm' 'name	value	n	samples	verdicts
pass@1	0.25	2	12	PASS:3,FAIL:9'
cols=1,4
is 'pass@k: 1 - C(3,k) / C(6,k)' 'tab -k 1,2,3,6 ab.lm | sed 1d' 'pass@1	0.25
pass@2	0.4
pass@3	0.475
pass@6	0.5'
fails 'a k over n is refused' 2 'lm-passk -k 7 ab.lm' 'usage: k = 7, but problem a has 6 samples'
fails 'a k of 0 too' 2 'lm-passk -k 0 ab.lm' 'usage: -k 0'
run 'and no k' 2 "lm-passk -k '' ab.lm"
is 'records carry the same' 'lm-passk ab.lm | heads | grep -o "name=[^ ]* task=t k=1 value=0.25 n=2"' 'name=pass@1 task=t k=1 value=0.25 n=2'

{ v a 1 1; v b 1 1; v c 1 0; v d 1 1; } | set_of | end >one.lm
cols=4,6,7,8
is 'one sample each: the interval is Wilson'"'"'s' 'tab one.lm | sed 1d | sed "s/\(\.[0-9]\{6\}\)[0-9]*/\1/g"' '0.75	0.300641	0.954412	wilson'
is 'the interval of the bootstrap keeps still' 'tab ab.lm | sed 1d' "$(tab ab.lm | sed 1d)"
run 'another seed may give another' 0 'tab -s 5 ab.lm'
{ cat ab.lm; v z 3 1 | set_of | end; } >abz.lm
cols=1,9
is 'joined streams count together' 'tab abz.lm | sed 1d' 'pass@1	3'
{ v a 2 1 t c; v b 2 2 t python; v a 2 0 u c; } | set_of | end >langs.lm
cols=2,3,4
is 'by task and language' 'tab --by lang langs.lm | sed 1d' 't	c	0.5
t	python	1
u	c	0'
is 'a score a task' 'tab langs.lm | sed 1d' 't		0.75
u		0'

{ v a 1 1; v b 1 1; v c 1 0; v d 1 0; } | sed 's/id=[ab]/& repo=x/; s/id=[cd]/& repo=y/' | set_of | end >cl.lm
cols=4,5,8
is 'clustered errors: two clusters all alike' 'tab --cluster repo cl.lm | sed 1d | sed "s/\(\.[0-9]\{6\}\)[0-9]*/\1/g"' '0.5	0.353553	cluster'

# --- INFRA_ERROR ------------------------------------------------------------------------------------------
{ v a 1 1; printf '@verdict 0 id=b verdict=INFRA_ERROR\n\n' | sed 's/id=b/id=b task=t/'; } | set_of | end >infra.lm
run 'too many INFRA_ERROR: no number, exit 1' 1 'lm-passk --tsv infra.lm >o; cat o; s=$?; [ ! -s o ] && lm-passk -q --tsv infra.lm'
like 'and why' 'lm-passk infra.lm 2>&1' 'INFRA_ERROR, more than .5 %'
{ v a 400 200; printf '@verdict 0 id=a task=t verdict=INFRA_ERROR\n\n'; } | set_of | end >few.lm
cols=4,10,11
is 'a few are left out of the count' 'tab few.lm | sed 1d' '0.5	400	1'
run '--min above the score: exit 1' 1 'lm-passk --min .3 ab.lm'
run '--min below: exit 0' 0 'lm-passk --min .25 ab.lm'

# --- comparison -------------------------------------------------------------------------------------------
{ for i in 1 2 3 4 5 6 7 8 9; do v p$i 1 1; done; v q 1 0; v r 1 1; v only-x 1 1; } | set_of | end >x.lm
{ for i in 1 2 3 4 5 6 7 8 9; do v p$i 1 0; done; v q 1 1; v r 1 1; v only-y 1 1; } | set_of | end >y.lm
cols=1,8,9,14,15
is 'one sample each: McNemar, over the problems both have' 'tab --against y.lm x.lm | sed 1,2d' 'pass@1-difference	mcnemar	11	0.021484375	0.021484375'
cols=1,4
is 'the mean of the differences' 'tab --against y.lm x.lm | sed 1,2d | cut -c1-26' 'pass@1-difference	0.727272'
{ v a 2 2; v b 2 1; v c 2 2; } | set_of | end >m.lm
{ v a 2 1; v b 2 0; v c 2 0; } | set_of | end >w.lm
cols=4,8,14
is 'several samples: all sign flips' 'tab --against w.lm m.lm | sed 1,2d | cut -c 1-12,19-' '0.6666666666	permutation	0.25'
like 'what the task can resolve is said' 'lm-passk --against w.lm m.lm | heads' 'name=pass@1-difference .* se=0.1666.* resolves=0.4669'
{ v a 2 2; v b 2 1; v c 2 2; v a 2 2 u; v b 2 2 u; v c 2 2 u; v d 2 2 u; v e 2 2 u; v f 2 2 u; } | set_of | end >m2.lm
{ v a 2 1; v b 2 0; v c 2 0; v a 2 0 u; v b 2 0 u; v c 2 0 u; v d 2 0 u; v e 2 0 u; v f 2 0 u; } | set_of | end >w2.lm
cols=2,14,15
is 'Holm over the tasks' 'tab --against w2.lm m2.lm | sed 1,3d' 't	0.25	0.25
u	0.03125	0.0625'
fails 'what is compared needs k samples too' 2 'lm-passk -k 2 --against one.lm m.lm' 'usage: k = 2, but problem'

# --- unlike runs ------------------------------------------------------------------------------------------
run_() { printf '@run 0 tool=lm-exec lang=python level=%s check=sentinel cpu=auto\n\n' "$1"; }
{ run_ 3; v a 1 1; } | set_of | end >l3.lm
{ run_ 2; v a 1 1; } | set_of | end >l2.lm
{ printf '@task 0 name=t hash=00\n\n'; v a 1 1; } | set_of | end >h0.lm
{ printf '@task 0 name=t hash=11\n\n'; v a 1 1; } | set_of | end >h1.lm
fails 'levels are not mixed' 3 'lm-passk l3.lm l2.lm' 'mismatch: unlike runs in one set'
fails 'nor compared' 3 'lm-passk --against l2.lm l3.lm' 'mismatch: unlike runs compared'
fails 'nor versions of a task' 3 'lm-passk --against h0.lm h1.lm' 'mismatch: unlike runs compared'
run 'but with -f' 0 'lm-passk -f --against l2.lm l3.lm'
run 'equal runs are' 0 'lm-passk --against l3.lm l3.lm'
fails 'an unknown verdict is refused' 3 "stream '@verdict id=a verdict=GOOD' '' | lm-passk" 'invalid: verdict=GOOD'
fails 'a verdict without id too' 3 "stream '@verdict verdict=PASS' '' | lm-passk" 'missing: no id='
done_testing
