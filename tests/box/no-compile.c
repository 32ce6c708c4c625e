// COMPILE_ERROR
int f(void) { return }
