/*
 * collet.instructions/1: what clients are told about the use of a plugin's items, as a whole.
 *
 *   const collet_instructions *instructions =
 *       host->get_extension(host, COLLET_EXT_INSTRUCTIONS, sizeof COLLET_EXT_INSTRUCTIONS - 1);
 */
#ifndef COLLET_EXT_INSTRUCTIONS_H
#define COLLET_EXT_INSTRUCTIONS_H

#include "collet/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define COLLET_EXT_INSTRUCTIONS "collet.instructions/1"

typedef struct collet_instructions {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] The text becomes part of the server's instructions, behind those of the configuration and of the plugins before this
   * one, and takes the place of what this generation has said before; an empty one takes that back. A client has what is said
   * when it asks (server/discover), a legacy one what was said when it was initialized.
   * COLLET_E_LIMIT: it is longer than the host's limit. COLLET_E_INVALID: it is not UTF-8. */
  int32_t (*set_instructions)(const collet_host *host, const char *text, size_t text_size);
} collet_instructions;

#ifdef __cplusplus
}
#endif

#endif
