/*
 * collet.save-state/1: what a plugin hands over to its next generation. The plugin's side: returned by
 * collet_plugin.get_extension for COLLET_EXT_SAVE_STATE.
 *
 * When the plugin is replaced the host calls save(), and gives what it has written to the create() of the next
 * generation as prior_state, with `version` as prior_state_version. The next generation may be of an earlier build, as a
 * new one that fails is taken back.
 */
#ifndef COLLET_EXT_SAVE_STATE_H
#define COLLET_EXT_SAVE_STATE_H

#include <collet/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define COLLET_EXT_SAVE_STATE "collet.save-state/1"

/* Takes the next piece of the state. `to` is what save() was given. COLLET_E_LIMIT: more than the host keeps. */
typedef int32_t (*collet_state_write)(void *to, const char *data, size_t size);

typedef struct collet_save_state {
  uint32_t struct_size;
  uint32_t version; /* of what save() writes */
  /* [control] Writes the state, piece by piece. Negative: there is none, and the plugin is not replaced. If the plugin
   * is EXCLUSIVE its last call has ended and destroy() follows; else calls go on meanwhile, here, until the next
   * generation takes over. */
  int32_t (*save)(void *self, collet_state_write write, void *to);
} collet_save_state;

#ifdef __cplusplus
}
#endif

#endif
