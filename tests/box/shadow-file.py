# RUNTIME_ERROR
print(open('/etc/shadow').read())
