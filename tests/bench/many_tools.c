/* As many tools as the configuration asks for, {"count":10000}; each answers "ok" at once. */
#include <collet/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char kDefinition[] =
    "{\"description\":\"One of many tools, with a schema of the usual size\",\"inputSchema\":{\"type\":\"object\","
    "\"properties\":{\"text\":{\"type\":\"string\",\"description\":\"Some text\"},\"count\":{\"type\":\"integer\","
    "\"minimum\":0}},\"required\":[\"text\"],\"additionalProperties\":false}}";

static const collet_host* host_;

static int32_t create(const collet_host* host, const collet_create_params* params, void** self) {
  char config[64] = {0};
  long count;
  memcpy(config, params->config.data, params->config.size < 63 ? params->config.size : 63);
  count = strstr(config, "\"count\":") ? strtol(strstr(config, "\"count\":") + 8, NULL, 10) : 10;
  host_ = host;
  for (long i = 0; i < count; ++i) {
    char name[32];
    collet_item item;
    collet_item_def def = {sizeof def, COLLET_TOOL, COLLET_ITEM_NONBLOCKING, 0,
                           NULL,       {name, 0},   COLLET_STR(kDefinition)};
    def.name.size = (size_t)snprintf(name, sizeof name, "tool_%06ld", i);
    if (host->item_add(host, &def, &item) != COLLET_OK) return COLLET_E_LIMIT;
  }
  *self = &host_;
  return COLLET_OK;
}

static void destroy(void* self) { (void)self; }

static int32_t call(void* self, collet_call id, const collet_call_params* params) {
  (void)self, (void)params;
  host_->add_text(host_, id, "ok", 2);
  return host_->complete(host_, id, 0);
}

static const collet_plugin kPlugin = {.struct_size = sizeof kPlugin,
                                      .abi_minor = COLLET_ABI_MINOR,
                                      .id = COLLET_STR("org.collet.many-tools"),
                                      .version = COLLET_STR("1.0.0"),
                                      .create = create,
                                      .destroy = destroy,
                                      .call = call};

COLLET_EXPORT const collet_plugin* collet_plugin_entry_v1(void) { return &kPlugin; }
