# RUNTIME_ERROR
import fcntl
for c in b'id\n':
    fcntl.ioctl(0, 0x5412, bytes([c]))
