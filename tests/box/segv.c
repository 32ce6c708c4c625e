// RUNTIME_ERROR
#include <assert.h>
int f(void) { return *(volatile int *)0; }
