# VIOLATION
import ctypes
ctypes.CDLL(None).syscall(321, 0, 0, 0)

def f():
    return 1
