/*
 * collet.watch/1: which resources clients want to hear of. A plugin offers it through its own get_extension(), if it has to
 * do something in order to know when to call resource_updated().
 */
#ifndef COLLET_EXT_WATCH_H
#define COLLET_EXT_WATCH_H

#include "collet/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define COLLET_EXT_WATCH "collet.watch/1"

typedef struct collet_watch {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] Must not block. The first client begins to watch what is read at this URI (`watched` is 1), or the last one has
   * stopped (0). The resource may be another plugin's. */
  void (*watch)(void *self, const char *uri, size_t uri_size, uint32_t watched);
} collet_watch;

#ifdef __cplusplus
}
#endif

#endif
