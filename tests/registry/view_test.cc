#include "registry/view.h"

#include "registry/registry.h"
#include "support/catch.h"

using namespace collet::registry;

namespace {

// What of a few items somebody with these rules sees: "name " of those in lists, "(name) " of those that are in none.
std::string seen(const ViewRules& rules) {
  static const SnapshotPtr snapshot = [] {
    Registry registry;
    registry.declare("p", {});
    const auto item = [](Kind kind, const char* name, const char* annotations = "{}") {
      ItemDef def;
      def.kind = kind;
      def.name = name;
      def.definition = kind == Kind::tool ? std::string(R"({"annotations":)") + annotations + "}" : "{}";
      return def;
    };
    registry.replace("p", nullptr,
                     {item(Kind::tool, "files_read", R"({"readOnlyHint":true,"openWorldHint":false})"),
                      item(Kind::tool, "files_write", R"({"destructiveHint":false,"idempotentHint":true})"),
                      item(Kind::tool, "wipe"), item(Kind::tool, "odd", R"({"readOnlyHint":"yes"})"),
                      item(Kind::resource, "file:///docs/a"), item(Kind::resource_template, "file:///logs/{day}"),
                      item(Kind::prompt, "wipe")});
    return registry.current();
  }();
  const View view(rules);
  std::string out;
  for (const Kind kind : {Kind::tool, Kind::resource, Kind::resource_template, Kind::prompt}) {
    for (const Item& each : snapshot->items(kind)) {
      const Sight sight = view.sight_of(each);
      if (sight == Sight::listed) out += each.name + " ";
      if (sight == Sight::unlisted) out += "(" + each.name + ") ";
    }
  }
  return out;
}

}  // namespace

TEST_CASE("rules name items by name, by kind and by what tools say of themselves") {
  const std::string all = "files_read files_write odd wipe file:///docs/a file:///logs/{day} wipe ";
  CHECK(seen({}) == all);
  CHECK(seen({.allow = {"*"}}) == all);
  CHECK(seen({.deny = {"*"}}) == "");
  CHECK(seen({.allow = {"wipe"}}) == "wipe wipe ");
  CHECK(seen({.allow = {"tool:wipe"}}) == "wipe ");
  CHECK(seen({.allow = {"prompt:*", "resource:*"}}) == "file:///docs/a wipe ");
  CHECK(seen({.allow = {"template:file:///logs/*"}}) == "file:///logs/{day} ");
  CHECK(seen({.allow = {"files_*"}, .deny = {"*_write"}}) == "files_read ");
  CHECK(seen({.allow = {"f*r*d"}}) == "files_read ");
  CHECK(seen({.allow = {"files"}}) == "");
  CHECK(seen({.unlisted = {"*wipe", "@destructive"}}) ==
        "files_read files_write (odd) (wipe) file:///docs/a file:///logs/{day} (wipe) ");
  CHECK(seen({.deny = {"wipe"}, .unlisted = {"wipe"}}) == "files_read files_write odd file:///docs/a file:///logs/{day} ");
}

TEST_CASE("what a tool leaves unsaid is as MCP says, and what is no tool only reads") {
  CHECK(seen({.allow = {"@read-only"}}) == "files_read file:///docs/a file:///logs/{day} wipe ");
  CHECK(seen({.allow = {"@destructive"}}) == "odd wipe ");
  CHECK(seen({.allow = {"@idempotent"}}) == "files_read files_write ");
  CHECK(seen({.allow = {"tool:@read-only"}}) == "files_read ");
  CHECK(seen({.allow = {"prompt:@destructive"}}) == "");
  CHECK(seen({.allow = {"@open-world"}}) == "files_write odd wipe ");
}

TEST_CASE("a rule that is none is said") {
  CHECK_FALSE(find_mistake("tool:*"));
  CHECK_FALSE(find_mistake("@destructive"));
  CHECK(find_mistake(""));
  CHECK_FALSE(find_mistake("tool:@destructive"));
  CHECK_FALSE(find_mistake("file:///docs/*"));
  for (const char* bad : {"@destructiv", "tool:@destructiv", "tool:", "tools:x", "resources:file:///*", "@"}) {
    INFO(bad);
    CHECK(find_mistake(bad));
  }
}

TEST_CASE("a * takes whatever fits, however many there are") {
  CHECK(seen({.allow = {"f*e*_*d"}}) == "files_read ");
  CHECK(seen({.allow = {"**wipe**"}}) == "wipe wipe ");
  CHECK(seen({.allow = {std::string(2'000, '*') + "e*e*e*e*e*e*e*e*b"}}) == "");
}
