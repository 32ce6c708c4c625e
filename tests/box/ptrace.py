# VIOLATION
import ctypes
ctypes.CDLL(None).ptrace(0, 0, 0, 0)

def f():
    return 1
