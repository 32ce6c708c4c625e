# OUTPUT_LIMIT
import subprocess, time
subprocess.Popen(['/bin/sh', '-c', 'while :; do echo y; done'])
time.sleep(60)
