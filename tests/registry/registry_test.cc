#include "registry/registry.h"

#include "support/catch.h"

using namespace collet;
using namespace collet::registry;

namespace {

ItemDef tool(std::string name, std::string definition = R"({"description":"d"})") {
  ItemDef def;
  def.name = std::move(name);
  def.definition = std::move(definition);
  return def;
}

std::string names(const Snapshot& snapshot) {
  std::string all;
  for (const Item& item : snapshot.items(Kind::tool)) all += item.name + "(" + *item.source + ") ";
  return all;
}

std::string reasons(const Snapshot& snapshot) {
  std::string all;
  for (const Rejected& r : snapshot.rejected()) all += r.source + "/" + r.name + ": " + r.reason + "\n";
  return all;
}

}  // namespace

TEST_CASE("tools are listed by name and found by name") {
  Registry registry;
  registry.declare("a", {});
  registry.declare("b", {});
  registry.replace("b", nullptr, {tool("zeta"), tool("alpha")});
  registry.replace("a", nullptr, {tool("mid")});
  const SnapshotPtr snapshot = registry.current();
  CHECK(names(*snapshot) == "alpha(b) mid(a) zeta(b) ");
  REQUIRE(snapshot->find(Kind::tool, "mid"));
  CHECK(snapshot->find(Kind::tool, "mid")->def->name == "mid");
  CHECK_FALSE(snapshot->find(Kind::tool, "other"));
  CHECK_FALSE(snapshot->find(Kind::prompt, "mid"));
}

TEST_CASE("a name is a pure function of the rules, whichever plugin loads first") {
  for (const bool a_first : {true, false}) {
    Registry registry;
    registry.declare("a", {});
    registry.declare("b", {.prefix = "b_", .hide = {"secret"}, .rename = {{"run", "go"}}});
    const auto load_a = [&] { registry.replace("a", nullptr, {tool("run"), tool("b_stop")}); };
    const auto load_b = [&] { registry.replace("b", nullptr, {tool("run"), tool("stop"), tool("secret")}); };
    if (a_first) load_a();
    load_b();
    if (!a_first) load_a();
    CHECK(names(*registry.current()) == "b_stop(a) go(b) run(a) ");
    CHECK(reasons(*registry.current()) ==
          "b/b_stop: plugin a already offers that name: set `prefix` or `rename` for one of them\n");
  }
}

TEST_CASE("a bad tool takes out itself and nothing else, and says why") {
  Registry registry(8);
  registry.declare("p", {});
  registry.replace("p", nullptr,
                   {tool("good"), tool("has space"), tool(""), tool("12345678"), tool("123456789"),
                    tool("json", "{"), tool("list", "[]"), tool("schema", R"({"inputSchema":1})"),
                    tool("type", R"({"inputSchema":{"type":"string"}})"), tool("own", R"({"name":"x"})"),
                    tool("out", R"({"outputSchema":[]})")});
  CHECK(names(*registry.current()) == "12345678(p) good(p) ");
  const std::string why = reasons(*registry.current());
  INFO(why);
  CHECK(registry.current()->rejected().size() == 9);
  CHECK(why.find("p/123456789: its name has 9 characters, 8 are allowed") != std::string::npos);
  CHECK(why.find("p/json: its definition is not JSON") != std::string::npos);
  CHECK(why.find("p/type: its inputSchema is not of \"type\": \"object\"") != std::string::npos);
}

TEST_CASE("a publisher gets each snapshot with what changed, and an old one stays as it was") {
  Registry registry;
  registry.declare("p", {});
  registry.replace("p", nullptr, {tool("one")});
  std::vector<unsigned> changes;
  unsigned adoptions = 0;
  registry.publish_to([&](SnapshotPtr, unsigned changed, Callback<void()> adopted) {
    changes.push_back(changed);
    if (adopted) adopted();
  });
  const SnapshotPtr before = registry.current();
  registry.replace("p", nullptr, {tool("one")}, [&] { ++adoptions; });
  registry.replace("p", nullptr, {tool("one"), tool("two")}, [&] { ++adoptions; });
  registry.replace("p", nullptr, {tool("one"), tool("two", "{}")}, [&] { ++adoptions; });
  ItemDef prompt = tool("ask");
  prompt.kind = Kind::prompt;
  registry.replace("p", nullptr, {prompt}, [&] { ++adoptions; });
  CHECK(changes == std::vector<unsigned>{0, 0, 1, 1, 1 | 1 << 3});
  CHECK(adoptions == 4);
  CHECK(names(*before) == "one(p) ");
  CHECK(names(*registry.current()).empty());
}
