# lm-metrics: a few steps.
input()
{
    stream '@metric kind=step step=1 loss=9.5 lr=0.001' '' '@metric kind=time step=1 ms=20.5' '' \
        '@metric kind=step step=2 loss=8.25 lr=0.002' ''
}
