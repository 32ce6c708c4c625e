// PASS
function f() { return 1 }
