# lm-task reads a task: a folder is made for it, larger than a pipe.
# shellcheck shell=sh disable=SC2034
operands=./mini
setup()
{
    mkdir mini
    printf 'name = mini\nlang = python\n' >mini/task.conf
    stream '@prompt id=a' "$(head -c 300000 /dev/zero | tr '\0' a)" '@prompt id=b' 'x =' >mini/problems.lm
}
