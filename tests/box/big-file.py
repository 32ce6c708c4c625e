# RUNTIME_ERROR
with open('f', 'wb') as f:
    f.truncate(1 << 30)
