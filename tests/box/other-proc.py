# RUNTIME_ERROR
open('/proc/1/environ').read()
