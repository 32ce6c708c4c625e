// FAIL
#include <assert.h>
int f(void) { return 2; }
