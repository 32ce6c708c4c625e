# lm-pack: documents that fill rows exactly, so that no padding is warned of.
opts='--mode concat --seq 4'
input()
{
    v=0123456789abcdef0123456789abcdef
    stream "@tok dt=u16 shape=4 vocab=$v id=${v}" 'abcdefgh' "@tok dt=u16 shape=3 vocab=$v" 'ijklmn' \
        "@tok dt=u16 shape=5 vocab=$v path=x" 'opqrstuvwx'
}
