# FAIL
def f():
    return 2
