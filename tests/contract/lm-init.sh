# lm-init: a small model.
opts='--layers 1 --dim 64 --vocab-size 64'
