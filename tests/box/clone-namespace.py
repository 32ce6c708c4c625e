# VIOLATION
import ctypes
ctypes.CDLL(None).syscall(56, 0x10000011, 0, 0, 0, 0)

def f():
    return 1
