// PASS
#include <assert.h>
int f(void) { return 1; }
