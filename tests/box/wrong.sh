# FAIL
f() { echo 2; }
