# NO_VERDICT
import os
os.write(3, b'0' * 32 + b'\n')
os._exit(0)
