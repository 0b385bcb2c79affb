/* A library that a plugin is linked with. */
__attribute__((visibility("default"))) int neighbour_version(void);
int neighbour_version(void) { return VERSION; }
