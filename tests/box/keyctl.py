# VIOLATION
import ctypes
ctypes.CDLL(None).syscall(250, 0, 0, 0)

def f():
    return 1
