# tinyrun.sh: tiny_run RUN STEPS [lm-train options]: a run of a small model, a checkpoint each step; of shards in data
# and the model in model, which are made where they are not.
# shellcheck shell=sh
. "$ROOT/tests/tokens.sh"
. "$ROOT/tests/tinymodel.sh"
tiny_run()
{
    t_run=$1 t_steps=$2
    shift 2
    [ -d model ] || tiny_model model || return
    [ -d data ] || tokens 40 1 "$(lm-vocab model | sed -n 's/^vocab.//p')" | lm-shard -q -o data || return
    lm-train -q -m model -o "$t_run" --seq 16 --batch-tokens 64 --micro 4 --steps "$t_steps" --lr 0.01 --warmup 1 \
        --ckpt-every 1 --keep 1000 "$@" data
}
# flip FILE BYTE: turns a bit of it
flip()
{
    t_c=$(dd if="$1" bs=1 skip="$2" count=1 2>/dev/null | od -An -tu1)
    # shellcheck disable=SC2059
    printf "\\$(printf %03o $((t_c ^ 16)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
