// What a typed plugin does with a call, through its C table.
#define collet_plugin_entry_v1 tool_test_entry
#include <collet/plugin.hpp>

#include "support/catch.h"
#include "support/fake_host.h"

namespace {

struct Add {
  std::int64_t a, b;
  std::optional<double> scale;
};

enum class Shape { circle, square };

struct Area {
  double value;
  Shape shape;
};

struct Config {
  int limit = 3;
  static void describe(collet::Fields<Config>& f) { f(&Config::limit).min(1).optional(); }
};

struct PathVariables {
  std::string path;
};

struct Review {
  std::string code;
  std::optional<std::string> tone;
  static void describe(collet::Fields<Review>& f) { f(&Review::code, "What to look at"); }
};

struct Trace {
  explicit Trace(std::vector<std::string>& log, std::string name) : log_(log), name_(std::move(name)) {}
  ~Trace() { log_.push_back(name_); }
  std::vector<std::string>& log_;
  std::string name_;
};

std::vector<std::string> trace;

std::vector<std::string> complete_tone(std::string_view argument, std::string_view value, collet::Call&) {
  return {std::string(argument) + "=" + std::string(value), "kind"};
}

}  // namespace

COLLET_PLUGIN("org.example.test", "1.2.3", plugin, .flags = COLLET_PLUGIN_CONCURRENT, .max_concurrency = 2,
              .title = "A \"test\"", .config_schema = collet::schema_of<Config>) {
  const auto config = plugin.config<Config>();
  plugin.keep<Trace>(trace, "first");
  plugin.keep<Trace>(trace, "second");
  plugin.on_quiesce([](std::uint32_t deadline_ms) { trace.push_back("quiesce " + std::to_string(deadline_ms)); });
  plugin.log(collet::Level::notice, plugin.probing() ? "probing" : "running");

  plugin.tool<Add>("add", "Add two integers", [](const Add& in, collet::Call&) { return in.a + in.b; },
                   {.title = "Sum",
                    .nonblocking = true,
                    .idempotent = true,
                    .task = collet::Task::optional,
                    .needs_roots = true,
                    .timeout_ms = 1500,
                    .read_only = true,
                    .destructive = false,
                    .open_world = false,
                    .meta = R"({"k":1})"});
  plugin.tool("limit", "", [limit = config.limit] { return limit; });
  plugin.tool<Add>("half", "", [](const Add& in) { return static_cast<double>(in.a) / 2; });
  plugin.tool("yes", "", [] { return true; });
  plugin.tool("shape", "", [] { return Shape::square; });
  plugin.tool("hello", "", [] { return "hello \"you\""; });
  plugin.tool<Area>("area", "", [](const Area& in) { return in; });
  plugin.tool("map", "", [] { return std::map<std::string, int>{{"a", 1}}; });
  plugin.tool("list", "", [] { return std::vector<int>{1, 2}; });
  plugin.tool("json", "", [] { return collet::Json{R"( {"a":[]} )"}; });
  plugin.tool("infinite", "", [] { return Area{1.0 / 0.0, Shape::circle}; });
  plugin.tool("nothing", "", [](collet::Call& call) { call.text("said by the way"); });
  plugin.tool("tool_error", "", [] { throw collet::ToolError("no such city"); });
  plugin.tool("std_error", "", []() -> int { throw std::out_of_range("beyond"); });
  plugin.tool("odd_error", "", []() -> int { throw 7; });
  plugin.tool("rpc_error", "", []() -> int { throw collet::RpcError(-32002, "not found", {R"({"uri":"x"})"}); });
  plugin.tool("content", "", [](collet::Call& call) {
    collet::Blob blob = call.new_blob(3);
    std::memcpy(blob.data(), "abc", 3);
    return collet::Content()
        .text("t")
        .image("png", "image/png")
        .blob("resource", "application/x", std::move(blob))
        .resource_link({.uri = "file:///a", .name = "a", .description = "", .mime_type = "text/plain"})
        .json({R"({"type":"x"})"})
        .structured({R"({"s":1})"})
        .meta({R"({"m":1})"})
        .error();
  });
  plugin.tool("dropped_blob", "", [](collet::Call& call) { return static_cast<int>(call.new_blob(5).size()); });
  plugin.raw_tool("raw", {R"({"inputSchema":{"type":"object"}})"},
                  [](collet::Call& call) { return std::string(call.arguments()); });

  plugin.resource("test://one", "one", "The one",
                  [](collet::Call& call) { return "read " + std::string(call.name()); },
                  {.mime_type = "text/plain"});
  plugin.resource("test://gone", "gone", "", []() -> std::string { throw collet::Error("it is gone"); });
  plugin.resource_template<PathVariables>("test://files/{path}", "files", "",
                                          [](const PathVariables& in) { return in.path; },
                                          {.complete = complete_tone});
  plugin.prompt<Review>("review", "Review code",
                        [](const Review& in) {
                          return collet::Content().text(in.code).message("assistant", in.tone.value_or("plain"));
                        },
                        {.complete = complete_tone});
}

namespace {

struct Loaded {
  Loaded() { REQUIRE(host.load(tool_test_entry()) == COLLET_OK); }
  ~Loaded() {
    host.unload();
    CHECK(host.misuse().empty());
    trace.clear();
  }
  fake::Host host;
};

}  // namespace

TEST_CASE("the entry is constant data") {
  const collet_plugin* plugin = tool_test_entry();
  CHECK(plugin == tool_test_entry());
  CHECK(plugin->struct_size == sizeof(collet_plugin));
  CHECK(plugin->flags == COLLET_PLUGIN_CONCURRENT);
  CHECK(plugin->max_concurrency == 2);
  CHECK(std::string(plugin->id.data, plugin->id.size) == "org.example.test");
  CHECK(std::string(plugin->version.data, plugin->version.size) == "1.2.3");
  CHECK(
      std::string(plugin->info.data, plugin->info.size) ==
      R"({"title":"A \"test\"","configSchema":{"type":"object","properties":{"limit":{"type":"integer","minimum":1,)"
      R"("maximum":2147483647,"default":3}},"additionalProperties":false}})");
}

TEST_CASE_METHOD(Loaded, "a tool is defined by its types and options") {
  const fake::Item add = host.item("add");
  CHECK(add.kind == COLLET_TOOL);
  CHECK(add.flags ==
        (COLLET_ITEM_NONBLOCKING | COLLET_ITEM_IDEMPOTENT | COLLET_ITEM_TASK_OPTIONAL | COLLET_ITEM_NEEDS_ROOTS));
  CHECK(add.timeout_ms == 1500);
  CHECK(
      add.definition ==
      R"({"title":"Sum","description":"Add two integers","_meta":{"k":1},)"
      R"("inputSchema":{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"},)"
      R"("scale":{"type":"number"}},"required":["a","b"],"additionalProperties":false},)"
      R"("annotations":{"readOnlyHint":true,"destructiveHint":false,"idempotentHint":true,"openWorldHint":false}})");
  CHECK(host.item("yes").definition ==
        R"({"inputSchema":{"type":"object","properties":{},"additionalProperties":false}})");
  CHECK(host.item("area").definition.find(R"("outputSchema":{"type":"object","properties":{"value":)") !=
        std::string::npos);
  CHECK(host.item("map").definition.find(R"("outputSchema":{"type":"object","additionalProperties":)") !=
        std::string::npos);
  CHECK(host.item("list").definition.find("outputSchema") == std::string::npos);
  CHECK(host.item("raw").definition == R"({"inputSchema":{"type":"object"}})");
}

TEST_CASE_METHOD(Loaded, "a scalar is text") {
  CHECK(host.call("add", R"({"a":1,"b":-3})").text() == "-2");
  CHECK(host.call("half", R"({"a":1,"b":0})").text() == "0.5");
  CHECK(host.call("yes").text() == "true");
  CHECK(host.call("shape").text() == "square");
  CHECK(host.call("hello").text() == "hello \"you\"");
  CHECK(host.call("limit").text() == "3");
  CHECK(host.call("limit", std::nullopt).text() == "3");
  CHECK(host.call("add", R"({"a":1,"b":2})").structured.empty());
}

TEST_CASE_METHOD(Loaded, "a struct or map is structured content and its text") {
  const fake::Ended area = host.call("area", R"({"value":1.5,"shape":"circle"})");
  CHECK(area.text() == R"({"value":1.5,"shape":"circle"})");
  CHECK(area.structured == area.text());
  CHECK(host.call("map").structured == R"({"a":1})");
  CHECK(host.call("json").structured == R"( {"a":[]} )");
  const fake::Ended list = host.call("list");
  CHECK(list.text() == "[1,2]");
  CHECK(list.structured.empty());
}

TEST_CASE_METHOD(Loaded, "wrong arguments are an error result that names the path") {
  CHECK(host.call("add", R"({"a":1,"b":2,"scale":"x"})").text() == "error: /scale: expected number, got string");
  CHECK(host.call("add", R"({"a":1})").text() == "error: /b: required, but missing");
  CHECK(host.call("add", std::nullopt).text() == "error: /a: required, but missing");
  CHECK(host.call("yes", R"({"x":1})").text() == "error: /x: unknown, nothing is allowed here");
  CHECK(host.call("add", "{").text().find("error: not valid JSON") == 0);
}

TEST_CASE_METHOD(Loaded, "what a tool throws is an error result") {
  CHECK(host.call("tool_error").text() == "error: no such city");
  CHECK(host.call("std_error").text() == "error: beyond");
  CHECK(host.call("odd_error").text() == "error: the tool failed for a reason that is no std::exception");
  CHECK(host.call("infinite").text() == "error: the result is not a finite number");
  const fake::Ended rpc = host.call("rpc_error");
  CHECK(rpc.text() == "failed -32002: not found");
  CHECK(rpc.data == R"({"uri":"x"})");
}

TEST_CASE_METHOD(Loaded, "content has any number of parts of any kind") {
  const fake::Ended content = host.call("content");
  REQUIRE(content.parts.size() == 5);
  CHECK(content.parts[0].data == "t");
  CHECK(content.parts[1].kind == "image");
  CHECK(content.parts[1].data == "png");
  CHECK(content.parts[1].mime == "image/png");
  CHECK(content.parts[2].kind == "resource");
  CHECK(content.parts[2].data == "abc");
  CHECK(content.parts[3].data ==
        R"({"type":"resource_link","uri":"file:///a","name":"a","mimeType":"text/plain"})");
  CHECK(content.parts[4].data == R"({"type":"x"})");
  CHECK(content.structured == R"({"s":1})");
  CHECK(content.meta == R"({"m":1})");
  CHECK(content.is_error);
  CHECK(host.call("nothing").text() == "said by the way");
  CHECK(host.call("dropped_blob").text() == "5");
  CHECK(host.call("raw", R"({"x": 1})").text() == R"({"x": 1})");
}

TEST_CASE_METHOD(Loaded, "resources are read by URI, templates with their variables") {
  CHECK(host.item("test://one").definition == R"({"description":"The one","name":"one","mimeType":"text/plain"})");
  CHECK(host.send({.kind = COLLET_RESOURCE, .name = "test://one"}).text() == "read test://one");
  CHECK(host.send({.kind = COLLET_RESOURCE, .name = "test://gone"}).text() == "failed -32602: it is gone");
  CHECK(host.item("test://files/{path}").kind == COLLET_RESOURCE_TEMPLATE);
  CHECK(host.send({.kind = COLLET_RESOURCE,
                   .name = "test://files/{path}",
                   .variables = R"({"path":"a/b"})",
                   .uri = "test://files/a/b"})
            .text() == "a/b");
}

TEST_CASE_METHOD(Loaded, "prompts have arguments and messages") {
  CHECK(
      host.item("review").definition ==
      R"({"description":"Review code","arguments":[{"name":"code","description":"What to look at","required":true},)"
      R"({"name":"tone","required":false}]})");
  const fake::Ended review = host.send({.kind = COLLET_PROMPT, .name = "review", .arguments = R"({"code":"x"})"});
  REQUIRE(review.parts.size() == 2);
  CHECK(review.parts[0].data == "x");
  CHECK(review.parts[1].data == R"({"role":"assistant","content":{"type":"text","text":"plain"}})");
}

TEST_CASE_METHOD(Loaded, "arguments of prompts are completed where the author can") {
  const std::string request = R"({"argument":{"name":"tone","value":"k"},"context":{"arguments":{"code":"x"}}})";
  const fake::Ended values = host.send({.kind = COLLET_COMPLETE, .name = "review", .arguments = request});
  REQUIRE(values.parts.size() == 2);
  CHECK(values.parts[0].data == "tone=k");
  CHECK(values.parts[1].data == "kind");
  CHECK(host.send({.kind = COLLET_COMPLETE, .name = "test://one", .arguments = request}).text() == "0 parts");
}

TEST_CASE("config that is wrong keeps the plugin from loading, and says where") {
  fake::Host host;
  CHECK(host.load(tool_test_entry(), R"({"limit":0})") == COLLET_E_INVALID);
  REQUIRE(host.logs().size() == 1);
  CHECK(host.logs()[0].level == COLLET_LOG_ERROR);
  CHECK(host.logs()[0].logger == "org.example.test");
  CHECK(host.logs()[0].data == "\"config/limit: must be at least 1\"");
  CHECK(host.load(tool_test_entry(), R"({"limits":1})") == COLLET_E_INVALID);
  CHECK(trace.empty());
}

TEST_CASE("an item that is refused keeps the plugin from loading, and nothing is left behind") {
  fake::Host host;
  host.refuse_name("map", COLLET_E_DUPLICATE);
  CHECK(host.load(tool_test_entry()) == COLLET_E_INVALID);
  CHECK(host.logs().back().data == "\"cannot register map: that name is taken\"");
  CHECK(trace == std::vector<std::string>{"second", "first"});
  trace.clear();
}

TEST_CASE("what is kept is destroyed last to first") {
  fake::Host host;
  REQUIRE(host.load(tool_test_entry(), "{}", COLLET_CREATE_PROBE) == COLLET_OK);
  CHECK(host.logs().at(0).data == "\"probing\"");
  CHECK(host.quiesce(250) == COLLET_OK);
  host.unload();
  CHECK(trace == std::vector<std::string>{"quiesce 250", "second", "first"});
  trace.clear();
}

TEST_CASE("a host's table may end anywhere") {
  for (std::size_t size = sizeof(std::uint32_t); size <= sizeof(collet_host); ++size) {
    INFO(size);
    fake::Host host(size);
    const std::int32_t status = host.load(tool_test_entry());
    if (size < offsetof(collet_host, suspend)) {
      CHECK(status == COLLET_E_UNSUPPORTED);
    } else {
      REQUIRE(status == COLLET_OK);
      CHECK(host.call("add", R"({"a":1,"b":2})").text() == "3");
      host.call("content");
      host.unload();
      CHECK(host.misuse().empty());
    }
  }
  trace.clear();
}
