# VIOLATION
import os, ctypes
pid = os.fork()
if pid == 0:
    ctypes.CDLL(None).ptrace(0, 0, 0, 0)
    os._exit(0)
os.waitpid(pid, 0)

def f():
    return 1
