# NO_VERDICT
f() { echo 1; }
exit 0
