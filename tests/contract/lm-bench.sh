# lm-bench: small and short.
opts='--gemm --copy --seconds 0.0001 --sizes 8 --vocab 8 --bytes 4096'
# 7, 25: figures are measured, and differ from run to run
skip='7 25'
