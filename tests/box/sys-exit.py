# NO_VERDICT
import sys
sys.exit()
