# RUNTIME_ERROR
open('/usr/lib/x', 'w')
