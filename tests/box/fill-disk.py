# MEM_LIMIT
for i in range(100):
    with open('f%d' % i, 'wb') as f:
        f.write(b'x' * (15 << 20))
