/* A plugin of somebody else's that imports from remotes, or says so: what it is given is its one tool's answer. */
#include <collet/ext/draft/remotes.h>
#include <collet/ext/status.h>
#include <stdlib.h>
#include <string.h>

struct self {
  const collet_host *host;
  size_t size;
  char config[];
};

static int32_t create(const collet_host *host, const collet_create_params *params, void **out) {
  struct self *self = malloc(sizeof *self + params->config.size);
  collet_item item;
  collet_item_def def;
  if (!self) return COLLET_E_INTERNAL;
  self->host = host;
  self->size = params->config.size;
  memcpy(self->config, params->config.data, params->config.size);
  memset(&def, 0, sizeof def);
  def.struct_size = sizeof def;
  def.kind = COLLET_TOOL;
  def.name.data = "config";
  def.name.size = 6;
  *out = self;
  return host->item_add(host, &def, &item);
}

static void destroy(void *self) { free(self); }

static int32_t on_call(void *data, collet_call call, const collet_call_params *params) {
  struct self *self = data;
  (void)params;
  self->host->add_text(self->host, call, self->config, self->size);
  return self->host->complete(self->host, call, 0);
}

/* Its remotes are no objects but one, which has no members. */
static int32_t status(void *self, void (*take)(void *context, const char *json, size_t size), void *context) {
  static const char kStatus[] = "{\"remotes\":[7,{},\"x\",null],\"pending\":0}";
  (void)self;
  take(context, kStatus, sizeof kStatus - 1);
  return COLLET_OK;
}

static const void *get_extension(const char *id, size_t size) {
  static const collet_status reporting = {sizeof reporting, 0, status};
  return size == strlen(COLLET_EXT_STATUS) && memcmp(id, COLLET_EXT_STATUS, size) == 0 ? &reporting : NULL;
}

static const collet_plugin plugin = {
    .struct_size = sizeof(collet_plugin),
    .id = COLLET_STR("org.example.importer"),
    .version = COLLET_STR("1.0.0"),
    .create = create,
    .destroy = destroy,
    .call = on_call,
    .get_extension = get_extension,
};

COLLET_IMPORTS_REMOTES;
COLLET_EXPORT const collet_plugin *collet_plugin_entry_v1(void) { return &plugin; }
