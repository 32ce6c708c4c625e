#!/bin/sh
# lm-join glues parts.
. "${0%/*}/t.sh"
stream '@gen id=1 part=0 m=x' 'one ' '@gen id=2 part=0' 'A' '@doc id=1' 'doc' '@gen id=1 part=1' 'two ' \
    '@gen id=2 part=1 last=1 finish=length' 'B' '@gen id=1 part=2 last=1 finish=stop m=y' 'three' '@gen id=1 part=0 last=1' 'again' >in.lm

is 'parts are glued where the last one stood, records without part pass' 'lm-join in.lm' "$(stream '@doc id=1' doc '@gen id=2 finish=length' AB '@gen id=1 m=y finish=stop' 'one two three' '@gen id=1' again)"
is 'samples of one id are apart' "stream '@gen id=1 sample=0 part=0' a '@gen id=1 sample=1 part=0' b '@gen id=1 sample=1 part=1 last=1' c '@gen id=1 sample=0 part=1 last=1' d | lm-join | lm-ls" '@gen 2 id=1 sample=1
@gen 2 id=1 sample=0'
is 'first dimensions of arrays are summed' "stream '@tok id=1 part=0 dt=u8 shape=2,3' abcdef '@tok id=1 part=1 last=1 dt=u8 shape=1,3' ghi | lm-join" "$(stream '@tok id=1 dt=u8 shape=3,3' abcdefghi)"
fails 'other dimensions must agree' 3 "stream '@tok id=1 part=0 dt=u8 shape=2,3' abcdef '@tok id=1 part=1 last=1 dt=u8 shape=1,2' gh | lm-join" 'does not go on'
fails 'a part that is missing in the middle' 3 "stream '@gen id=1 part=0' a '@gen id=1 part=2 last=1' b | lm-join" 'part=2 where part=1 should come'
fails 'one missing at the start' 3 "stream '@gen id=1 part=1' a | lm-join" 'part=1 comes first'
fails 'one missing at the end, at its first part' 3 "stream '@gen id=1 part=0' a | lm-join" 'stdin:0:6: truncated: its last part is missing'
fails 'a whole over LM_MAX_BODY' 3 "stream '@gen id=1 part=0' aaaaaa '@gen id=1 part=1 last=1' aaaaaa | LM_MAX_BODY=10 lm-join" limit
done_testing
