/* A library that another one needs, and that is removed before it is loaded. */
__attribute__((visibility("default"))) int needed(void);
int needed(void) { return 1; }
