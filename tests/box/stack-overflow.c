// RUNTIME_ERROR
#include <assert.h>
int f(void) { volatile char a[65536]; a[0] = 1; return a[0] + f(); }
