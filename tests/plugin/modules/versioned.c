/* A plugin to be replaced: its tools tell which build answers. -DVERSION=… and what that build does beyond. */
#include <collet/ext/reconfigure.h>
#include <collet/ext/save_state.h>
#include <collet/plugin.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WHICH, WAIT, ERR, COUNT, CONFIG, ASK, KEEP };

struct self {
  const collet_host *host;
  int count;            /* of calls of "count", over all generations */
  char config[256];
  char lock[256];       /* a file that only one of us may make */
};

static int32_t add(const collet_host *host, const char *name, const char *definition, uint32_t flags, long which) {
  collet_item item;
  collet_item_def def;
  memset(&def, 0, sizeof def);
  def.struct_size = sizeof def;
  def.kind = COLLET_TOOL;
  def.flags = flags;
  def.user = (void *)which;
  def.name.data = name;
  def.name.size = strlen(name);
  def.definition.data = definition;
  def.definition.size = definition ? strlen(definition) : 0;
  return host->item_add(host, &def, &item);
}

static int32_t create(const collet_host *host, const collet_create_params *params, void **out) {
  const int probed = (params->flags & COLLET_CREATE_PROBE) != 0;
  struct self *self = calloc(1, sizeof *self);
  self->host = host;
  snprintf(self->config, sizeof self->config, "%.*s", (int)params->config.size, params->config.data);
  if (params->prior_state.data) {
    if (params->prior_state_version != 3 || params->prior_state.size < 4) abort();
    memcpy(&self->count, params->prior_state.data, 4);
  }
#ifdef FAILS
  if (!probed) {
    free(self);
    return COLLET_E_INTERNAL;
  }
#endif
  const char *lock = strstr(self->config, "\"lock\":\"");
  if (lock && !probed) {
    sscanf(lock + 8, "%255[^\"]", self->lock);
    const int fd = open(self->lock, O_CREAT | O_EXCL, 0600);
    if (fd < 0) {
      free(self);
      return COLLET_E_STATE;
    }
    close(fd);
  }
  add(host, "which", NULL, COLLET_ITEM_NONBLOCKING, WHICH);
  add(host, "queued_which", NULL, 0, WHICH);
  add(host, "wait", NULL, 0, WAIT);
  add(host, "keep", NULL, COLLET_ITEM_NONBLOCKING, KEEP);
  add(host, "err", NULL, 0, ERR);
  add(host, "count", NULL, 0, COUNT);
  add(host, "config", NULL, 0, CONFIG);
#ifdef BROKEN
  add(host, "ask", "{\"inputSchema\":{\"type\":\"nothing\"}}", 0, ASK);
#else
  add(host, "ask", NULL, 0, ASK);
#endif
#ifdef EXTRA
  add(host, "extra", NULL, 0, WHICH);
#endif
  *out = self;
  return COLLET_OK;
}

static void destroy(void *data) {
  struct self *self = data;
#ifdef DESTROY_HANGS
  while (!strstr(self->config, "probe")) pause();
#endif
  if (self->lock[0]) unlink(self->lock);
  free(self);
}

static int32_t answer(const struct self *self, collet_call call, const char *text) {
  self->host->add_text(self->host, call, text, strlen(text));
  return self->host->complete(self->host, call, 0);
}

static int32_t answer_number(const struct self *self, collet_call call, int number) {
  char text[16];
  snprintf(text, sizeof text, "%d", number);
  return answer(self, call, text);
}

/* Until somebody writes into the FIFO that the arguments name: {"fifo":"…"}. */
static int32_t wait_for(const struct self *self, collet_call call, collet_str arguments) {
  char path[256] = "";
  char byte;
  sscanf(arguments.data, "{\"fifo\": \"%255[^\"]", path);
  const int fd = open(path, O_RDONLY);
  if (fd < 0 || read(fd, &byte, 1) != 1) return COLLET_E_INTERNAL;
  close(fd);
  return answer_number(self, call, VERSION);
}

static int32_t on_call(void *data, collet_call call, const collet_call_params *params) {
  struct self *self = data;
  const collet_host *host = self->host;
  switch ((long)params->item_user) {
    case WAIT:
      host->progress(host, call, 0, 0, NULL, 0);
      return wait_for(self, call, params->arguments);
    case KEEP: /* for ever, until it is ended by others */
      return COLLET_OK;
    case ERR:
      return COLLET_E_INTERNAL;
    case COUNT:
      return answer_number(self, call, ++self->count);
    case CONFIG:
      return answer(self, call, self->config);
    case ASK:
      if (params->round == 0) {
        static const char request[] = "{\"method\":\"elicitation/create\",\"params\":{\"message\":\"Go on?\","
                                      "\"requestedSchema\":{\"type\":\"object\",\"properties\":{}}}}";
        host->need_input(host, call, "name", 4, request, sizeof request - 1);
        return host->suspend(host, call, "asked", 5, 7);
      }
      return answer_number(self, call, VERSION);
    default:
      return answer_number(self, call, VERSION);
  }
}

static int32_t save(void *data, collet_state_write write, void *to) {
  const struct self *self = data;
  if (strstr(self->config, "unsaved")) return COLLET_E_INTERNAL;
  write(to, (const char *)&self->count, 2);
  int32_t status = write(to, (const char *)&self->count + 2, 2);
  const char *saved = strstr(self->config, "\"saved\":");
  for (long left = saved ? strtol(saved + 8, NULL, 10) - 4 : 0; left > 0 && status == COLLET_OK; left -= 4096) {
    static const char zeros[4096];
    status = write(to, zeros, left < 4096 ? (size_t)left : 4096);
  }
  return status;
}

static int32_t reconfigure(void *data, const char *config, size_t size) {
  struct self *self = data;
  char given[256];
  snprintf(given, sizeof given, "%.*s", (int)size, config);
  if (!strstr(given, "accept")) return COLLET_E_UNSUPPORTED;
  strcpy(self->config, given);
  return COLLET_OK;
}

static const void *get_extension(const char *id, size_t size) {
  static const collet_save_state save_state = {sizeof save_state, 3, save};
  static const collet_reconfigure reconfiguring = {sizeof reconfiguring, 0, reconfigure};
  if (size == strlen(COLLET_EXT_SAVE_STATE) && memcmp(id, COLLET_EXT_SAVE_STATE, size) == 0) return &save_state;
  if (size == strlen(COLLET_EXT_RECONFIGURE) && memcmp(id, COLLET_EXT_RECONFIGURE, size) == 0) return &reconfiguring;
  return NULL;
}

static const collet_plugin plugin = {
    .struct_size = sizeof(collet_plugin),
#ifdef EXCLUSIVE
    .flags = COLLET_PLUGIN_EXCLUSIVE,
#endif
    .id = COLLET_STR("org.example.versioned"),
#ifdef MAJOR
    .version = COLLET_STR("2.0.0"),
#else
    .version = COLLET_STR("1.0.0"),
#endif
    .create = create,
    .destroy = destroy,
    .call = on_call,
    .get_extension = get_extension,
};

COLLET_EXPORT const collet_plugin *collet_plugin_entry_v1(void) { return &plugin; }
