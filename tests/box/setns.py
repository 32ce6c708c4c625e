# VIOLATION
import ctypes
ctypes.CDLL(None).setns(0, 0)

def f():
    return 1
