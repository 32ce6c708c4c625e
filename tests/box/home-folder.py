# RUNTIME_ERROR
import os
print(os.listdir('/root'), os.listdir('/home'))
