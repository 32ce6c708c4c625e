# st.sh: safetensors by hand, for tests.
# st FILE HEAD DATA: DATA is what printf makes of it; HEAD the JSON
# shellcheck shell=sh
st()
{
    t_h=$2
    while [ $((${#t_h} % 8)) != 0 ]; do t_h="$t_h "; done
    # shellcheck disable=SC2059
    { printf "\\$(printf %03o $((${#t_h} % 256)))\\$(printf %03o $((${#t_h} / 256)))\\0\\0\\0\\0\\0\\0"; printf %s "$t_h"; printf "$3"; } >"$1"
}
# st1 DIR DTYPE SHAPE DATA: a directory with one tensor x and an empty config.json
st1()
{
    mkdir -p "$1"
    # shellcheck disable=SC2059
    t_len=$(printf "$4" | wc -c | tr -d ' ')
    st "$1/model.safetensors" "{\"x\":{\"dtype\":\"$2\",\"shape\":[$3],\"data_offsets\":[0,$t_len]}}" "$4"
    echo '{}' >"$1/config.json"
}
