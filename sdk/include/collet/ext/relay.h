/*
 * collet.relay/1: results and callers of a plugin that stands between the host and other MCP servers.
 *
 *   const collet_relay *relay = host->get_extension(host, COLLET_EXT_RELAY, sizeof COLLET_EXT_RELAY - 1);
 */
#ifndef COLLET_EXT_RELAY_H
#define COLLET_EXT_RELAY_H

#include <collet/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define COLLET_EXT_RELAY "collet.relay/1"

typedef struct collet_relay {
  uint32_t struct_size;
  uint32_t reserved;

  /* [any] Ends the call with a whole result object, as an MCP server of any version has given it: that of tools/call,
   * resources/read, prompts/get or completion/complete. Takes the place of add_text() to complete(); what these have
   * said before is dropped. The value of every member reaches the client byte for byte but for line breaks between tokens.
   * The host's own are `resultType`, and the serverInfo and related-task of `_meta`.
   * COLLET_E_INVALID: it is no JSON object, or its content is no array; the call has failed with that. */
  int32_t (*complete_with)(const collet_host *host, collet_call call, const char *result_json, size_t result_size);
} collet_relay;

#ifdef __cplusplus
}
#endif

#endif
