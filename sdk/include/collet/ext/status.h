/*
 * collet.status/1: what a plugin says of its health. A plugin offers it through its own get_extension().
 */
#ifndef COLLET_EXT_STATUS_H
#define COLLET_EXT_STATUS_H

#include "collet/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define COLLET_EXT_STATUS "collet.status/1"

typedef struct collet_status {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] Hands a JSON object to `take`, once, before it returns; its members are the plugin's own. May wait for a thread
   * of the plugin, but not for anything outside. Where "pending" is true the plugin still expects to add items soon. */
  int32_t (*status)(void *self, void (*take)(void *context, const char *json, size_t json_size), void *context);
} collet_status;

#ifdef __cplusplus
}
#endif

#endif
