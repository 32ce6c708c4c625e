# PIDS_LIMIT
import os
while True:
    os.fork()
