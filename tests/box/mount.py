# VIOLATION
import ctypes
ctypes.CDLL(None).mount(b"none", b"/tmp", b"tmpfs", 0, 0)

def f():
    return 1
