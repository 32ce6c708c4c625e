# NO_VERDICT
exit(0)
