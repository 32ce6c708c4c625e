# COMPILE_ERROR
def f(:
