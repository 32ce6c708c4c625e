# VIOLATION
import ctypes
ctypes.CDLL(None).unshare(0x10000000)

def f():
    return 1
