# MEM_LIMIT
x = bytearray(1 << 30)
