/* A text of as many bytes as the configuration asks for, {"bytes":65536}: of letters alone, or, with "lines", of lines. */
#include <collet/json.h>
#include <collet/plugin.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 64

static const char kDefinition[] = "{\"description\":\"A large text\",\"inputSchema\":{\"type\":\"object\"}}";

static const collet_host* host_;
static char* text_;
static size_t size_;

static int32_t create(const collet_host* host, const collet_create_params* params, void** self) {
  collet_json_value value;
  int64_t bytes;
  collet_item item;
  const collet_item_def def = {.struct_size = sizeof def, .kind = COLLET_TOOL, .flags = COLLET_ITEM_NONBLOCKING,
                               .name = COLLET_STR("large"), .definition = COLLET_STR(kDefinition)};
  if (collet_json_find(params->config, "bytes", &value) != 1 || collet_json_int64(&value, &bytes) != COLLET_OK ||
      bytes < 0)
    return COLLET_E_INVALID;
  size_ = (size_t)bytes;
  text_ = malloc(size_ + 1);
  if (!text_) return COLLET_E_LIMIT;
  memset(text_, 'x', size_);
  if (collet_json_find(params->config, "lines", &value) == 1 && value.type == COLLET_JSON_TRUE) {
    for (size_t end = LINE_BYTES; end <= size_; end += LINE_BYTES) text_[end - 1] = '\n';
  }
  host_ = host;
  *self = text_;
  return host->item_add(host, &def, &item);
}

static void destroy(void* self) { free(self); }

static int32_t call(void* self, collet_call id, const collet_call_params* params) {
  (void)params;
  host_->add_text(host_, id, self, size_);
  return host_->complete(host_, id, 0);
}

static const collet_plugin kPlugin = {.struct_size = sizeof kPlugin,
                                      .abi_minor = COLLET_ABI_MINOR,
                                      .flags = COLLET_PLUGIN_CONCURRENT,
                                      .id = COLLET_STR("org.collet.large-text"),
                                      .version = COLLET_STR("1.0.0"),
                                      .create = create,
                                      .destroy = destroy,
                                      .call = call};

COLLET_EXPORT const collet_plugin* collet_plugin_entry_v1(void) { return &kPlugin; }
