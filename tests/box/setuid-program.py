# RUNTIME_ERROR
import subprocess
subprocess.run(['su', '-c', 'id'], check=True, stdin=subprocess.DEVNULL)
