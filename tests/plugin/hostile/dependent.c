/* A plugin that needs a library which is not there. */
#include <collet/plugin.h>
int needed(void);
const collet_plugin* collet_plugin_entry_v1(void) { return needed() ? NULL : NULL; }
