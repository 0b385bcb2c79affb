/*
 * collet.loop/1: input and output on the host's loops, by a plugin whose items are NONBLOCKING.
 *
 * A call that runs [inline] can go on where it began: it writes what it has to say to a descriptor, watches for the answer,
 * and ends in the watch's callback, without a change of thread. The host has a fixed number of loops, each of them one
 * thread. Everything of a loop stays there; only post() reaches another one.
 *
 * [loop] is a further tag of threads: the host's loop thread, either in an [inline] call or in one of the callbacks below.
 * A callback keeps the rules of an inline call: it returns within microseconds and does not unwind.
 *
 * Life: watches, timers and tasks work from create() until the last call of the generation has ended, so that a generation
 * which is being replaced can still finish. Then they are taken away: before destroy() the last callback has returned, what
 * was posted and has not run is dropped, and every function here says COLLET_E_STATE. Descriptors and what `context` points
 * to stay the plugin's: it closes and frees them in destroy() at the latest.
 *
 * Not offered in a worker process, nor to a create() that is a trial (COLLET_CREATE_PROBE).
 *
 *   const collet_loop *loop = host->get_extension(host, COLLET_EXT_LOOP, sizeof COLLET_EXT_LOOP - 1);
 */
#ifndef COLLET_EXT_LOOP_H
#define COLLET_EXT_LOOP_H

#include <collet/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define COLLET_EXT_LOOP "collet.loop/1"

/* What a descriptor is watched for, and what it is ready for. */
#define COLLET_LOOP_READABLE (1u << 0) /* there is something to read, or the end, or an error */
#define COLLET_LOOP_WRITABLE (1u << 1)

typedef uint64_t collet_loop_wait; /* a watch or a timer of one loop; never 0, never reused in a generation */

/* [loop] */
typedef void (*collet_loop_task)(void *context);
/* [loop] */
typedef void (*collet_loop_ready)(void *context, uint32_t events);

typedef struct collet_loop {
  uint32_t struct_size;
  uint32_t reserved;

  /* [any] How many loops there are; they are numbered from 0. The same until the host ends. */
  int32_t (*count)(const collet_host *host);
  /* [any] The number of the loop whose thread this is; COLLET_E_STATE: it is no loop's. */
  int32_t (*current)(const collet_host *host);
  /* [any] Runs `task` on that loop, in the order of posting and never inside post(). COLLET_E_LIMIT: too many wait. */
  int32_t (*post)(const collet_host *host, uint32_t loop, collet_loop_task task, void *context);

  /* [loop] Calls `ready` on this loop again and again, as long as the descriptor is ready for one of `events`. It is made
   * non-blocking, and must stay open until unwait(). COLLET_E_INVALID: it cannot be watched, or is already. */
  int32_t (*watch)(const collet_host *host, int64_t descriptor, uint32_t events, collet_loop_ready ready, void *context,
                   collet_loop_wait *out);
  /* [loop] Watches for these events from now on; 0: for nothing at present. COLLET_E_STALE: no such watch on this loop. */
  int32_t (*rewatch)(const collet_host *host, collet_loop_wait watch, uint32_t events);
  /* [loop] Calls `task` once, when `after_ms` milliseconds have passed, at least 1. The timer is stale by then. */
  int32_t (*start_timer)(const collet_host *host, uint64_t after_ms, collet_loop_task task, void *context,
                         collet_loop_wait *out);
  /* [loop] Its callback is not called any more; of a watch or a timer, also from inside of it. COLLET_E_STALE: there is no
   * such thing on this loop. */
  int32_t (*unwait)(const collet_host *host, collet_loop_wait wait);
} collet_loop;

#ifdef __cplusplus
}
#endif

#endif
