# RUNTIME_ERROR
def f():
    return f()
