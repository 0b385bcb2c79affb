/*
 * collet.stream/1: the event stream on which a client waits for a call.
 *
 * A call that takes long need not hold its client's connection. Over HTTP a legacy client of version 2025-11-25 can come back
 * for the rest (MCP 2025-11-25, basic/transports, Resumability and Redelivery; SEP-1699): the host keeps what the
 * call says meanwhile, within its limits.
 */
#ifndef COLLET_EXT_STREAM_H
#define COLLET_EXT_STREAM_H

#include "collet/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define COLLET_EXT_STREAM "collet.stream/1"

typedef struct collet_stream {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] Closes the connection of the call's client and tells it to come back after `retry_ms` milliseconds. The call goes
   * on as before. Where the client cannot come back its connection stays as it is; that is no error. */
  int32_t (*close_stream)(const collet_host *host, collet_call call, uint32_t retry_ms);
} collet_stream;

#ifdef __cplusplus
}
#endif

#endif
