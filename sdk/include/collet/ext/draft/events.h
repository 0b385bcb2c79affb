/*
 * collet.events.draft/1: streams of events, which a plugin appends to, and others read and follow.
 *
 * A draft: it may change, and then has another id. What has changed stands in sdk/CHANGES.md.
 *
 * STREAMS  A stream has a name, and an owner: the plugin that appends to it, by its id in the configuration. It begins with its first
 * event, goes on over the owner's generations, and stays for as long as the host has its events, which are where
 * the records of collet.store.draft/1 are. An owner has 32 streams at most. Only the owner appends. A plugin in-process reads all
 * streams, one in a worker its own, and of others those that plugin.<id>.permissions.events names.
 *
 * EVENTS  are bytes, with a number: the first one of a stream is 1, each further one has one more than the one before it. A stream
 * keeps its newest events: 10000 of them, 4 MiB together. A reader that is too late for some hears which is the first one kept.
 *
 * THREADS, LIFE  as of collet.store.draft/1: callbacks run [answer]; what is asked in create() begins once that has returned, and what is followed
 * there behind all else that was asked; each function
 * that has returned COLLET_OK is answered once, before destroy(). What is followed is told until unfollow(), or until a negative status,
 * which is the last that it hears: COLLET_E_STATE when the generation ends.
 *
 *   const collet_events *events = host->get_extension(host, COLLET_EXT_EVENTS, sizeof COLLET_EXT_EVENTS - 1);
 */
#ifndef COLLET_EXT_DRAFT_EVENTS_H
#define COLLET_EXT_DRAFT_EVENTS_H

#include <collet/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define COLLET_EXT_EVENTS "collet.events.draft/1"

#define COLLET_EVENTS_NEWEST UINT64_MAX /* as `after`: only what comes from now on */

typedef uint64_t collet_follow; /* never 0, never reused in a generation */

/* Stays as it is for ever. */
typedef struct collet_event {
  uint64_t sequence; /* its number */
  uint64_t time_ms;  /* when it was appended: milliseconds since 1970 */
  collet_str bytes;
} collet_event;

/* Borrowed until the callback returns (M1). */
typedef struct collet_events_page {
  uint32_t struct_size;
  int32_t status; /* COLLET_OK.
                     COLLET_E_STALE: the stream has not come to `after`: it has begun anew, or is another one.
                     COLLET_E_UNSUPPORTED: in a worker: the stream is not for this plugin.
                     COLLET_E_STATE: the generation ends.
                     COLLET_E_INTERNAL: the host's store has failed.
                     In a worker also what the function itself returns elsewhere. */
  collet_follow follow; /* 0: it was read */
  uint64_t after;       /* the page begins behind this number */
  uint64_t first;       /* the first event that is kept. More than `after` + 1: those between are lost */
  uint64_t last;        /* the newest event; 0: there has been none */
  const collet_event *events; /* in their order, without a gap */
  size_t event_count;
} collet_events_page;

typedef struct collet_append_params {
  uint32_t struct_size;
  uint32_t reserved; /* 0 */
  collet_str stream; /* UTF-8, not empty; 128 bytes at most */
  collet_str bytes;  /* 64 KiB at most */
  void *context;     /* the plugin's; good until `appended` returns */
  /* [answer] Status: COLLET_OK; COLLET_E_LIMIT: the plugin has as many streams as it may; COLLET_E_STATE: the generation ends;
   * COLLET_E_INTERNAL: the host's store has failed: the event may be there or not. */
  void (*appended)(void *context, int32_t status, uint64_t sequence);
} collet_append_params;

typedef struct collet_events_params {
  uint32_t struct_size;
  uint32_t max;      /* events of a page at most; 0: as many as fit, as are more than 1000. A page has 1 MiB of them at most */
  collet_str owner;  /* of the stream: a plugin's id; absent: this plugin */
  collet_str stream; /* it need not be there yet */
  uint64_t after;    /* from behind this number on; 0: from the first one kept; or COLLET_EVENTS_NEWEST */
  void *context;     /* the plugin's; good until `told` returns, or of what is followed, until it is told no more */
  void (*told)(void *context, const collet_events_page *page); /* [answer] */
} collet_events_params;

/* [any] All return
 * COLLET_E_INVALID: no stream, no callback, text that is not UTF-8, something reserved;
 * COLLET_E_LIMIT: a name or an event is beyond its limit, 256 answers are waited for, or 64 streams are followed;
 * COLLET_E_UNSUPPORTED: the stream is not for this plugin;
 * COLLET_E_STATE: the generation ends. */
typedef struct collet_events {
  uint32_t struct_size;
  uint32_t reserved;
  int32_t (*append)(const collet_host *host, const collet_append_params *params);
  /* What is there now, perhaps nothing. */
  int32_t (*read)(const collet_host *host, const collet_events_params *params);
  /* Each event once, in order, as pages that have one at least. The next page comes when `told` has returned: who is slow misses what is
   * not kept for so long, and hears so. `out` may be NULL; `told` may be called before it is written. */
  int32_t (*follow)(const collet_host *host, const collet_events_params *params, collet_follow *out);
  /* When this has returned `told` does not run any more, and so it must not wait for what the caller holds; called from `told` itself
   * it does not wait. COLLET_E_STALE: it has ended. */
  int32_t (*unfollow)(const collet_host *host, collet_follow follow);
} collet_events;

#ifdef __cplusplus
}
#endif

#endif
