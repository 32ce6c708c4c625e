# NO_VERDICT
import os
os._exit(0)
