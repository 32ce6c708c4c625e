# PIDS_LIMIT
import threading, time
for i in range(1000):
    threading.Thread(target=time.sleep, args=(1,), daemon=True).start()
