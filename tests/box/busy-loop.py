# CPU_LIMIT
while True:
    pass
