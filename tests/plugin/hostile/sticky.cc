// A plugin that cannot be unloaded (a unique symbol) and must not run on loops (a thread_local with a destructor).
#include <collet/plugin.h>

#include <string>

template <class T>
struct __attribute__((visibility("default"))) Unique {
  static inline T value{};
};

namespace {

const collet_host* host;
thread_local std::string last;

int32_t create(const collet_host* given, const collet_create_params*, void**) {
  host = given;
  collet_item_def def{};
  def.struct_size = sizeof def;
  def.kind = COLLET_TOOL;
  def.flags = COLLET_ITEM_NONBLOCKING;
  def.name = COLLET_STR("stick");
  collet_item item;
  return host->item_add(host, &def, &item);
}

void destroy(void*) {}

int32_t call(void*, collet_call id, const collet_call_params* params) {
  last.assign(params->arguments.data, params->arguments.size);
  ++Unique<int>::value;
  host->add_text(host, id, last.data(), last.size());
  return host->complete(host, id, 0);
}

}  // namespace

extern "C" const collet_plugin* collet_plugin_entry_v1() {
  static const collet_plugin plugin = [] {
    collet_plugin table{};
    table.struct_size = sizeof table;
    table.id = COLLET_STR("org.example.sticky");
    table.version = COLLET_STR("1.0.0");
    table.create = create;
    table.destroy = destroy;
    table.call = call;
    return table;
  }();
  return &plugin;
}
