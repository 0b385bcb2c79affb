/* Answers with the text it is given: the smallest whole plugin, to start your own from. */
#include <collet/json.h>
#include <collet/plugin.h>

static const char kEcho[] =
    "{\"description\":\"Answers with the text it is given\",\"annotations\":{\"readOnlyHint\":true},"
    "\"inputSchema\":{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\"}},"
    "\"required\":[\"text\"],\"additionalProperties\":false}}";

static int32_t create(const collet_host *host, const collet_create_params *params, void **self) {
  const collet_item_def echo = {.struct_size = sizeof echo, .kind = COLLET_TOOL, .flags = COLLET_ITEM_NONBLOCKING,
                                .name = COLLET_STR("echo"), .definition = COLLET_STR(kEcho)};
  collet_item item;
  (void)params;
  *self = (void *)host;
  return host->item_add(host, &echo, &item);
}

static void destroy(void *self) { (void)self; }

static int32_t call(void *self, collet_call id, const collet_call_params *params) {
  const collet_host *host = self;
  collet_json_value text;
  if (collet_json_find(params->arguments, "text", &text) != 1 || text.type != COLLET_JSON_STRING)
    return COLLET_E_INVALID;
  char *const copy = text.escaped ? malloc(text.size) : NULL;
  if (text.escaped && !copy) return COLLET_E_INTERNAL;
  if (copy) text.size = collet_json_unescape(&text, copy);
  host->add_text(host, id, copy ? copy : text.data, text.size);
  free(copy);
  return host->complete(host, id, 0);
}

COLLET_EXPORT const collet_plugin *collet_plugin_entry_v1(void) {
  static const collet_plugin plugin = {.struct_size = sizeof plugin, .abi_minor = COLLET_ABI_MINOR,
                                       .flags = COLLET_PLUGIN_CONCURRENT, .id = COLLET_STR("org.collet.echo"),
                                       .version = COLLET_STR("1.0.0"), .create = create, .destroy = destroy, .call = call};
  return &plugin;
}
