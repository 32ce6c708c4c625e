// FAIL
function f() { return 2 }
