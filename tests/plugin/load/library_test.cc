#include "plugin/load/library.h"

#include "base/limits.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::plugin;

namespace {

collet_plugin good_table() {
  collet_plugin table{};
  table.struct_size = sizeof table;
  table.id = COLLET_STR("org.example.a");
  table.version = COLLET_STR("1.0.0");
  table.create = [](const collet_host*, const collet_create_params*, void**) { return COLLET_OK; };
  table.destroy = [](void*) {};
  table.call = [](void*, collet_call, const collet_call_params*) { return COLLET_OK; };
  return table;
}

bool takes_id(const std::string& id) {
  collet_plugin table = good_table();
  table.id = {id.data(), id.size()};
  return read_plugin_table(&table).ok();
}

bool takes_version(const std::string& version) {
  collet_plugin table = good_table();
  table.version = {version.data(), version.size()};
  return read_plugin_table(&table).ok();
}

}  // namespace

TEST_CASE("ids are reverse-DNS") {
  for (const char* id : {"a", "org.example.math", "org.my-company.x9"}) CHECK(takes_id(id));
  for (const char* id : {"", ".", "-a", "a.", "Org.example", "a b", "a_b", "a/b", "ä"}) CHECK_FALSE(takes_id(id));
  CHECK(takes_id(std::string(limits::kPluginIdBytesMax, 'a')));
  CHECK_FALSE(takes_id(std::string(limits::kPluginIdBytesMax + 1, 'a')));
}

TEST_CASE("versions are semantic") {
  for (const char* version : {"0.0.0", "1.20.300", "1.0.0-rc.1", "1.0.0+build.5", "1.0.0-a-b+c"}) {
    CHECK(takes_version(version));
  }
  for (const char* version :
       {"", "1", "1.0", "1.0.", "1.0.0.0", "v1.0.0", "1.0.0-", "1.0.0 ", "1.a.0", "1.0.0-ä"}) {
    CHECK_FALSE(takes_version(version));
  }
}

TEST_CASE("a table may be longer than this host knows, within reason") {
  struct {
    collet_plugin known;
    char more[limits::kPluginTableBytesMax - sizeof(collet_plugin)];
  } grown{good_table(), {}};
  grown.known.struct_size = sizeof grown;
  CHECK(read_plugin_table(&grown.known));
  grown.known.struct_size = limits::kPluginTableBytesMax + 1;
  CHECK_FALSE(read_plugin_table(&grown.known));
}

TEST_CASE("info is a JSON object of bounded size") {
  collet_plugin table = good_table();
  const std::string info = "{\"a\":\"" + std::string(limits::kPluginInfoBytesMax - 8, 'a') + "\"}";
  table.info = {info.data(), info.size()};
  CHECK(read_plugin_table(&table));
  const std::string larger = info + ' ';
  table.info = {larger.data(), larger.size()};
  CHECK_FALSE(read_plugin_table(&table));
  table.info = {nullptr, 5};
  CHECK_FALSE(read_plugin_table(&table));
}
