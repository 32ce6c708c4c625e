# WALL_LIMIT
import os
os.mkfifo('p')
open('p', 'rb').read()
