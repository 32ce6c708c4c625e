# RUNTIME_ERROR
import os
os.setuid(0)
