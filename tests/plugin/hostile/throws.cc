// A plugin that lets exceptions out of its functions, against the contract.
#include <collet/plugin.h>

#include <stdexcept>
#include <string_view>

namespace {

const collet_host* host;

int32_t create(const collet_host* given, const collet_create_params* params, void**) {
  host = given;
  if (std::string_view(params->config.data, params->config.size).find("throw") != std::string_view::npos) {
    throw std::runtime_error("from create");
  }
  collet_item_def def{};
  def.struct_size = sizeof def;
  def.kind = COLLET_TOOL;
  def.flags = COLLET_ITEM_NONBLOCKING;
  def.name = COLLET_STR("throw");
  collet_item item;
  return host->item_add(host, &def, &item);
}

void destroy(void*) {}

int32_t call(void*, collet_call id, const collet_call_params*) {
  host->add_text(host, id, "so far", 6);
  throw std::runtime_error("from call");
}

}  // namespace

extern "C" const collet_plugin* collet_plugin_entry_v1() {
  static const collet_plugin plugin = [] {
    collet_plugin table{};
    table.struct_size = sizeof table;
    table.id = COLLET_STR("org.example.throws");
    table.version = COLLET_STR("1.0.0");
    table.create = create;
    table.destroy = destroy;
    table.call = call;
    return table;
  }();
  return &plugin;
}
