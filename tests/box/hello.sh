# PASS
f() { echo 1; }
