/*
 * collet.reconfigure/1: a plugin that takes a new configuration without being replaced. The plugin's side: returned by
 * collet_plugin.get_extension for COLLET_EXT_RECONFIGURE.
 */
#ifndef COLLET_EXT_RECONFIGURE_H
#define COLLET_EXT_RECONFIGURE_H

#include <collet/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define COLLET_EXT_RECONFIGURE "collet.reconfigure/1"

typedef struct collet_reconfigure {
  uint32_t struct_size;
  uint32_t reserved;
  /* [control] [plugin.<id>.config] has changed: a JSON object. Calls go on meanwhile; items may be added, removed and
   * committed. Negative: nothing has changed, and the plugin is to be replaced by a generation that is created with the
   * new configuration. */
  int32_t (*reconfigure)(void *self, const char *config_json, size_t config_json_size);
} collet_reconfigure;

#ifdef __cplusplus
}
#endif

#endif
