/*
 * collet.status/1: what a plugin says of its health. A plugin offers collet_status through its own get_extension(); under the same
 * id the host offers collet_status_watch, for the plugin to say that there is something new to be asked for.
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

typedef struct collet_status_watch {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] What status() says is not what it was: who waits for that asks again, soon, from another thread. Also from inside of
   * create(). Said often it costs little. */
  int32_t (*changed)(const collet_host *host);
} collet_status_watch;

#ifdef __cplusplus
}
#endif

#endif
