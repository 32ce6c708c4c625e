# CPU_LIMIT
import os, time
for i in range(3):
    if os.fork() == 0:
        while True:
            pass
time.sleep(60)
