# RUNTIME_ERROR
for i in range(1000000):
    open('f%d' % i, 'w').close()
