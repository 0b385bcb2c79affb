/*
 * collet.registry.draft/1: which items there are, and when they change.
 *
 * A draft: it may change, and then has another id. What has changed stands in sdk/CHANGES.md.
 *
 * Items are seen as collet.tools.draft/1 says: inside of a call as its caller does; with COLLET_INVOKE_AS_PLUGIN as the plugin
 * does, which is everything; by a plugin in a worker only what plugin.<id>.permissions.items names. What is listed as the plugin
 * may be more than a caller sees: before it is shown to one, list it again inside of that one's call, by its names.
 *
 * Callbacks run [answer]; the rules of collet.tools.draft/1 for that thread, and for who waits, hold here.
 *
 *   const collet_registry *registry = host->get_extension(host, COLLET_EXT_REGISTRY, sizeof COLLET_EXT_REGISTRY - 1);
 */
#ifndef COLLET_EXT_DRAFT_REGISTRY_H
#define COLLET_EXT_DRAFT_REGISTRY_H

#include <collet/ext/draft/tools.h>

#ifdef __cplusplus
extern "C" {
#endif

#define COLLET_EXT_REGISTRY "collet.registry.draft/1"

typedef struct collet_list_params {
  uint32_t struct_size;
  uint32_t kind;         /* COLLET_TOOL, _RESOURCE, _RESOURCE_TEMPLATE or _PROMPT */
  uint32_t flags;        /* COLLET_INVOKE_AS_PLUGIN, or 0 */
  uint32_t max;          /* items of the page at most; 0: as many as fit. A page may have fewer than either: see `more` */
  collet_call inside_of; /* a call that this plugin runs */
  collet_str after;      /* the page begins behind this name; absent: with the first one. Not used with `names` */
  const collet_str *names; /* not NULL: only these are listed, in this order, where they are seen; 1000 at most */
  size_t name_count;
  void *context; /* the plugin's; good until `listed` returns */
  /* [answer] Exactly once, if list() has returned COLLET_OK. Items are in the order of their names' bytes, but for `names`. JSON text, borrowed:
   *   {"revision":7,"items":[{"name":"files__read","plugin":"files","definition":{…},…}],"more":true}
   * `name` is the final one, of a resource its URI, of a template its text; `plugin` is its id in the configuration, "client" of
   * all that remotes offer; `definition` is the rest of its MCP object. `unlisted` is true of what the lists of this caller leave
   * out and it may call. `idempotent`, `task` ("optional", "required") and `needs` (an array of "elicitation", "sampling", "roots")
   * say what its author has declared. `more`: there are further ones, behind the last name. Pages may be of different revisions:
   * what has stayed is in one of them, once; what came or went meanwhile may be missing.
   * Negative status: no text; in a worker also for what list() itself returns elsewhere. */
  void (*listed)(void *context, int32_t status, const char *json, size_t json_size);
} collet_list_params;

/* A change of what the host offers, to whomever. */
typedef struct collet_change {
  uint32_t struct_size;
  uint32_t kinds;    /* of what has changed: 1u << COLLET_TOOL and so on; several changes may be told as one */
  uint64_t revision; /* that has it; counts up */
} collet_change;

typedef struct collet_watch_params {
  uint32_t struct_size;
  uint32_t kinds; /* which changes are to be told: 1u << COLLET_TOOL and so on; 0: all */
  void *context;
  void (*changed)(void *context, const collet_change *change); /* [answer] */
} collet_watch_params;

typedef struct collet_registry {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] With the errors of invoke(). */
  int32_t (*list)(const collet_host *host, const collet_list_params *params);
  /* [any] Also in create(). `changed` is called when definitions of these kinds come, go or change; at the start of a host many
   * times. Watch before you list, or what comes between is missed. What one caller sees may change with the configuration,
   * without this. A second watch() takes the place of the first; NULL ends it. When this has returned the old one does not run
   * any more, and so it must not wait for what the caller holds; called from `changed` itself it does not wait. */
  int32_t (*watch)(const collet_host *host, const collet_watch_params *params);
} collet_registry;

#ifdef __cplusplus
}
#endif

#endif
