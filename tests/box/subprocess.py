# PASS
import subprocess

def f():
    return int(subprocess.run(['sh', '-c', 'echo $((2 - 1))'], capture_output=True, check=True).stdout)
