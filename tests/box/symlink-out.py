# RUNTIME_ERROR
import os
os.symlink('/etc', 'e')
open('e/shadow').read()
