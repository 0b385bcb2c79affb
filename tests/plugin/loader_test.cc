#include "plugin/loader.h"

#include <filesystem>

#include "house.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::plugin;
using registry::Ending;

TEST_CASE("a plugin's items are served from where they may run") {
  House house;
  const LoadReport report = house.load(module_path("sample"));
  INFO(report.error);
  REQUIRE(report.ok());
  CHECK(report.plugin_id == "org.example.sample");
  CHECK(report.version == "1.2.3-rc.1");
  CHECK(report.items == 14);
  CHECK(report.warnings.empty());

  Recorder inline_call;
  CHECK(house.start_tool("echo", R"({"text":"a\"b"})", inline_call) == 0);  // ended before start() returned
  const Ending ending = inline_call.wait_end();
  CHECK(ending.how == Ending::How::completed);
  CHECK(ending.content == R"({"type":"text","text":"{\"text\":\"a\\\"b\"}"})");

  Recorder queued_call;
  CHECK(house.start_tool("queued_echo", "[]", queued_call) != 0);
  CHECK(queued_call.wait_end().content == R"({"type":"text","text":"[]"})");
  CHECK(house.call_tool("background", "7").content == R"({"type":"text","text":"7"})");
  CHECK(house.loader.shutdown(5'000, Loader::Loops::running).empty());
}
