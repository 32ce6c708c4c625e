#!/bin/sh
# completion.sh TOOL ..: prints the one completion file (bash) of all tools, made from their --help=tsv.
set -eu
cat <<'E'
# Completion of lm-tools in bash; made by make install from the tools' --help=tsv.
_lm_words() {
    case $1 in
E
for t; do
    n=${t##*/}
    words=$("$t" --help=tsv | awk -F'\t' 'NR > 1 {
        if ($1 != "") print ($1 ~ /^-/ ? $1 : "-" $1)
        if ($2 != "") print ($2 ~ /^-/ ? $2 : "--" $2) }' | tr '\n' ' ')
    printf '    %s) echo "%s" ;;\n' "$n" "${words% }"
done
cat <<'E'
    esac
}
_lm_tools() { compgen -c lm- | sort -u; }
_lm() {
    local tool=${COMP_WORDS[0]##*/} cur=${COMP_WORDS[COMP_CWORD]} words
    if [[ $tool == lm ]]; then
        if ((COMP_CWORD == 1)); then
            mapfile -t COMPREPLY < <(compgen -W "$(_lm_tools | sed 's/^lm-//') help" -- "$cur")
            return
        fi
        tool=lm-${COMP_WORDS[1]}
    fi
    if [[ $cur == -* ]]; then
        words=$(_lm_words "$tool")
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    fi
}
E
printf 'complete -o filenames -F _lm'
for t; do printf ' %s' "${t##*/}"; done
echo
