/* A plugin that uses or offers every extension there is. */
#include <collet/ext/instructions.h>
#include <collet/ext/reconfigure.h>
#include <collet/ext/relay.h>
#include <collet/ext/save_state.h>
#include <collet/ext/status.h>
#include <collet/ext/stream.h>
#include <collet/ext/watch.h>
#include <collet/plugin.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RELAY, STREAM, SAID, CRASH, INSTRUCT, HOLD, LET_GO, CHANGED };

struct self {
  const collet_host *host;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int held; /* status() does not return */
  char said[1024]; /* to it, one behind the other */
};

static void note_locked(struct self *self, const char *what, const char *text, size_t size) {
  const size_t used = strlen(self->said);
  snprintf(self->said + used, sizeof self->said - used, "%s %.*s;", what, (int)size, text);
}

static void note(struct self *self, const char *what, const char *text, size_t size) {
  pthread_mutex_lock(&self->mutex);
  note_locked(self, what, text, size);
  pthread_mutex_unlock(&self->mutex);
}

static void add(const collet_host *host, uint32_t kind, const char *name, long which) {
  collet_item item;
  collet_item_def def;
  memset(&def, 0, sizeof def);
  def.struct_size = sizeof def;
  def.kind = kind;
  def.user = (void *)which;
  def.name.data = name;
  def.name.size = strlen(name);
  host->item_add(host, &def, &item);
}

static const void *extension_of(const collet_host *host, const char *id) {
  return host->get_extension(host, id, strlen(id));
}

static void instruct(const collet_host *host, const char *text, size_t size) {
  const collet_instructions *instructions = extension_of(host, COLLET_EXT_INSTRUCTIONS);
  instructions->set_instructions(host, text, size);
}

static int32_t create(const collet_host *host, const collet_create_params *params, void **out) {
  struct self *self = calloc(1, sizeof *self);
  self->host = host;
  pthread_mutex_init(&self->mutex, NULL);
  pthread_cond_init(&self->changed, NULL);
  if (params->prior_state.data && params->prior_state_version == 5) {
    note(self, "prior", params->prior_state.data, params->prior_state.size);
  }
  add(host, COLLET_TOOL, "relay", RELAY);
  add(host, COLLET_RESOURCE, "extended://relay", RELAY);
  add(host, COLLET_PROMPT, "relay", RELAY);
  add(host, COLLET_TOOL, "stream", STREAM);
  add(host, COLLET_TOOL, "said", SAID);
  add(host, COLLET_TOOL, "crash", CRASH);
  add(host, COLLET_TOOL, "instruct", INSTRUCT);
  add(host, COLLET_TOOL, "hold", HOLD);
  add(host, COLLET_TOOL, "let_go", LET_GO);
  add(host, COLLET_TOOL, "changed", CHANGED);
  instruct(host, "as created", 10);
  *out = self;
  return COLLET_OK;
}

static void destroy(void *data) {
  struct self *self = data;
  pthread_cond_destroy(&self->changed);
  pthread_mutex_destroy(&self->mutex);
  free(self);
}

static int32_t answer(struct self *self, collet_call call) {
  pthread_mutex_lock(&self->mutex);
  self->host->add_text(self->host, call, self->said, strlen(self->said));
  pthread_mutex_unlock(&self->mutex);
  return self->host->complete(self->host, call, 0);
}

static int32_t on_call(void *data, collet_call call, const collet_call_params *params) {
  struct self *self = data;
  const collet_host *host = self->host;
  const collet_relay *relay = extension_of(host, COLLET_EXT_RELAY);
  const collet_stream *stream = extension_of(host, COLLET_EXT_STREAM);
  switch ((long)params->item_user) {
    case RELAY: /* the arguments are the result */
      host->add_text(host, call, "earlier", 7);
      relay->complete_with(host, call, params->arguments.data, params->arguments.size);
      return COLLET_OK;
    case STREAM:
      stream->close_stream(host, call, 250);
      return answer(self, call);
    case INSTRUCT:
      instruct(host, params->arguments.data, params->arguments.size);
      return answer(self, call);
    case HOLD:
    case LET_GO:
      pthread_mutex_lock(&self->mutex);
      self->held = (long)params->item_user == HOLD;
      pthread_cond_broadcast(&self->changed);
      pthread_mutex_unlock(&self->mutex);
      return answer(self, call);
    case CHANGED: {
      const collet_status_watch *watch = extension_of(host, COLLET_EXT_STATUS);
      if (watch->changed(host) < 0) return COLLET_E_INTERNAL;
      return answer(self, call);
    }
    case CRASH:
      abort();
    default:
      return answer(self, call);
  }
}

static int32_t reconfigure(void *self, const char *config, size_t size) {
  note(self, "config", config, size);
  return COLLET_OK;
}

static int32_t save(void *self, collet_state_write write, void *to) {
  const char *said = ((struct self *)self)->said;
  return write(to, said, strlen(said));
}

static int32_t status(void *data, void (*take)(void *context, const char *json, size_t size), void *context) {
  struct self *self = data;
  pthread_mutex_lock(&self->mutex);
  if (self->held) note_locked(self, "status", "", 0);
  while (self->held) pthread_cond_wait(&self->changed, &self->mutex);
  pthread_mutex_unlock(&self->mutex);
  take(context, "{\"mood\":\"good\"}", 15);
  return COLLET_OK;
}

static void watch(void *self, const char *uri, size_t size, uint32_t watched) {
  note(self, watched ? "watch" : "unwatch", uri, size);
}

static const void *get_extension(const char *id, size_t size) {
  static const collet_reconfigure reconfiguring = {sizeof reconfiguring, 0, reconfigure};
  static const collet_save_state saving = {sizeof saving, 5, save};
  static const collet_status reporting = {sizeof reporting, 0, status};
  static const collet_watch watching = {sizeof watching, 0, watch};
  const struct {
    const char *id;
    const void *table;
  } all[] = {{COLLET_EXT_RECONFIGURE, &reconfiguring},
             {COLLET_EXT_SAVE_STATE, &saving},
             {COLLET_EXT_STATUS, &reporting},
             {COLLET_EXT_WATCH, &watching}};
  for (size_t i = 0; i < sizeof all / sizeof *all; ++i) {
    if (size == strlen(all[i].id) && memcmp(id, all[i].id, size) == 0) return all[i].table;
  }
  return NULL;
}

static const collet_plugin plugin = {
    .struct_size = sizeof(collet_plugin),
    .id = COLLET_STR("org.example.extended"),
    .version = COLLET_STR("1.0.0"),
    .create = create,
    .destroy = destroy,
    .call = on_call,
    .get_extension = get_extension,
};

COLLET_EXPORT const collet_plugin *collet_plugin_entry_v1(void) { return &plugin; }
