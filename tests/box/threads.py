# PASS
import threading
out = []
t = [threading.Thread(target=out.append, args=(i,)) for i in range(20)]
for x in t:
    x.start()
for x in t:
    x.join()

def f():
    return len(out) - 19
