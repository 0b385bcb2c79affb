/*
 * collet.store.draft/1: a plugin keeps records with its host: bytes under keys of its own, which outlive the generation that has put
 * them, and the worker process that it runs in.
 *
 * A draft: it may change, and then has another id. What has changed stands in sdk/CHANGES.md.
 *
 * WHOSE  A plugin has the keys of its id in the configuration for itself, over all its generations; those that serve at a time share
 * them. How long they are kept is for the host to say: this one has them in memory, as long as its process runs, or, if its configuration
 * names a file, there; then an answer of COLLET_OK means that what was put outlives the process, however it ends.
 *
 * VERSIONS  A record has a version, never 0, which no other record of this plugin ever had or will have. With COLLET_STORE_IF_VERSION
 * something is done only if the record has the version that was read before, or, with 0, if there is none: that is how two that
 * change the same record do not undo each other's work.
 *
 * THREADS  Functions return at once. What has come of it is told by `answered` or `listed`, on the thread [answer] of
 * collet.tools.draft/1, with its rules, also for who may wait. What one thread asks takes effect in the order in which it asks.
 *
 * LIFE  It can be asked from create() on, until the generation ends. What is asked in create() is done, and answered, only once that has
 * returned: do not wait for it there. Each function that has returned COLLET_OK is answered exactly once, before destroy(); what is
 * under way when the generation ends, or when create() fails, with COLLET_E_STATE: it may have been done or not.
 *
 * A create() must succeed without it: in a trial (COLLET_CREATE_PROBE) it is NULL.
 *
 *   const collet_store *store = host->get_extension(host, COLLET_EXT_STORE, sizeof COLLET_EXT_STORE - 1);
 */
#ifndef COLLET_EXT_DRAFT_STORE_H
#define COLLET_EXT_DRAFT_STORE_H

#include <collet/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define COLLET_EXT_STORE "collet.store.draft/1"

/* collet_store_params.flags */
#define COLLET_STORE_IF_VERSION (1u << 0) /* `version` is what must be there: 0 for nothing */

/* Borrowed until the callback returns (M1). */
typedef struct collet_stored {
  uint32_t struct_size;
  int32_t status;   /* COLLET_OK.
                       COLLET_E_STALE: what is there does not have the version that was asked for; nothing has changed.
                       COLLET_E_LIMIT: the plugin has as many records, or bytes in them, as it may; nothing has changed.
                       COLLET_E_STATE: the generation ends.
                       COLLET_E_INTERNAL: the host's store has failed, as with a full disk: it may have been done or not.
                       In a worker also what the function itself returns elsewhere. */
  uint64_t version; /* of get() what is there, of put() what is there now, of remove() what was there; STALE: what is there.
                       0: nothing */
  collet_str value; /* of get(): bytes; absent: there is none */
} collet_stored;

/* What is to be read, written or removed. */
typedef struct collet_store_params {
  uint32_t struct_size;
  uint32_t flags;   /* of put() and remove(): COLLET_STORE_IF_VERSION, or 0 */
  collet_str key;   /* UTF-8, not empty; 512 bytes at most */
  collet_str value; /* of put(): any bytes; 1 MiB at most */
  uint64_t version; /* with COLLET_STORE_IF_VERSION */
  uint64_t ttl_ms;  /* of put(): after which the record is not there any more, by the wall clock; 366 days at most. 0: it stays */
  void *context;    /* the plugin's; good until `answered` returns */
  void (*answered)(void *context, const collet_stored *stored); /* [answer] */
} collet_store_params;

/* Stays as it is for ever. */
typedef struct collet_key {
  collet_str key;
  uint64_t version;
} collet_key;

/* Borrowed until the callback returns (M1). */
typedef struct collet_keys {
  uint32_t struct_size;
  int32_t status; /* as of collet_stored */
  uint32_t more;  /* 1: there are further ones, behind the last key */
  uint32_t reserved;
  const collet_key *keys; /* in the order of their bytes */
  size_t key_count;
} collet_keys;

typedef struct collet_keys_params {
  uint32_t struct_size;
  uint32_t max;      /* keys of the page at most; 0: as many as fit, as are more than 1000 */
  collet_str prefix; /* with which they begin; absent: all */
  collet_str after;  /* the page begins behind this key; absent: with the first one */
  void *context;     /* the plugin's; good until `listed` returns */
  /* [answer] Pages are of different moments: what has stayed is in one of them, once. */
  void (*listed)(void *context, const collet_keys *keys);
} collet_keys_params;

/* [any] All return
 * COLLET_E_INVALID: no key, no callback, text that is not UTF-8, an unknown flag;
 * COLLET_E_LIMIT: a key, a value or a time is beyond its limit, 256 answers are waited for, or what has been asked and
 * is not answered would have more than 64 MiB;
 * COLLET_E_STATE: the generation ends. */
typedef struct collet_store {
  uint32_t struct_size;
  uint32_t reserved;
  int32_t (*get)(const collet_host *host, const collet_store_params *params);
  int32_t (*put)(const collet_host *host, const collet_store_params *params);
  int32_t (*remove)(const collet_host *host, const collet_store_params *params);
  int32_t (*list)(const collet_host *host, const collet_keys_params *params);
} collet_store;

#ifdef __cplusplus
}
#endif

#endif
