# PASS
import multiprocessing as mp

def g(q):
    q.put(1)

def f():
    q = mp.get_context('fork').Queue()
    p = mp.get_context('fork').Process(target=g, args=(q,))
    p.start()
    n = q.get(timeout=5)
    p.join()
    return n
