#include "registry/registry.h"

#include "base/json.h"
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

TEST_CASE("a schema that cannot be read costs a tool whose arguments others check that schema alone") {
  constexpr const char* kDangling = R"({"type":"object","properties":{"n":{"$ref":"#/none"}}})";
  const std::string input = std::string(R"({"inputSchema":)") + kDangling + "}";
  const std::string output = std::string(R"({"title":"T","outputSchema":)") + kDangling + "}";
  for (const bool unchecked : {true, false}) {
    CAPTURE(unchecked);
    Registry registry;
    registry.declare("p", {});
    std::vector<ItemDef> tools = {tool("in", input), tool("out", output)};
    for (ItemDef& def : tools) def.traits.unchecked = unchecked;
    registry.replace("p", nullptr, std::move(tools));
    const SnapshotPtr snapshot = registry.current();
    CHECK(names(*snapshot) == (unchecked ? "in(p) out(p) " : ""));
    if (!unchecked) continue;
    CHECK(snapshot->find(Kind::tool, "in")->def->definition == input);
    CHECK(snapshot->find(Kind::tool, "out")->def->definition == R"({"title":"T"})");
  }
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

TEST_CASE("several sources change in one snapshot") {
  Registry registry;
  registry.declare("a", {});
  registry.declare("b", {});
  unsigned published = 0;
  registry.publish_to([&](SnapshotPtr, unsigned, Callback<void()>) { ++published; });
  std::vector<Change> changes;
  changes.push_back({"a", nullptr, examine({tool("one")})});
  changes.push_back({"b", nullptr, examine({tool("two")})});
  const auto results = registry.replace(std::move(changes));
  CHECK((results.size() == 2 && results[0].ok() && results[1].ok()));
  CHECK(published == 2);  // with the one at the beginning
  CHECK(names(*registry.current()) == "one(a) two(b) ");
}

TEST_CASE("a careful change is refused if something would be left out that was not, and the others are made") {
  Registry registry;
  for (const char* source : {"a", "b", "c"}) registry.declare(source, {});
  registry.replace("a", nullptr, {tool("one"), tool("bad", "[]")});
  registry.replace("b", nullptr, {tool("two")});
  const auto change = [&](const char* source, std::vector<ItemDef> items) {
    std::vector<Change> changes;
    changes.push_back({source, nullptr, examine(std::move(items)), true});
    changes.push_back({"c", nullptr, examine({tool("three")}), true});
    auto results = registry.replace(std::move(changes));
    CHECK(results[1].ok());
    return results[0].ok() ? std::string() : results[0].message();
  };
  CHECK(change("a", {tool("one"), tool("worse", "{")})
            .find("worse of plugin a would be left out: its definition is") == 0);
  CHECK(names(*registry.current()) == "one(a) three(c) two(b) ");
  CHECK(change("b", {tool("one")}).find("one of plugin b would be left out: plugin a already") == 0);
  CHECK(change("a", {tool("two")}).find("two of plugin b would be left out: plugin a already") ==
        0);  // taken from b
  CHECK(names(*registry.current()) == "one(a) three(c) two(b) ");
  CHECK(change("a", {tool("new"), tool("bad", "[]")}) == "");  // bad before, bad now
  CHECK(names(*registry.current()) == "new(a) three(c) two(b) ");
}

TEST_CASE("sources are arranged anew: order, rules, and which there are") {
  Registry registry;
  registry.declare("a", {});
  registry.declare("b", {});
  registry.replace("a", nullptr, {tool("same"), tool("one")});
  registry.replace("b", nullptr, {tool("same")});
  CHECK(names(*registry.current()) == "one(a) same(a) ");
  const std::string* const id = registry.current()->find(Kind::tool, "one")->source;
  registry.arrange({{"b", {}}, {"a", {.hide = {"one"}}}, {"c", {}}});
  CHECK(names(*registry.current()) == "one(a) same(a) ");  // seen with the next snapshot
  registry.replace("c", nullptr, {tool("three")});
  CHECK(names(*registry.current()) == "same(b) three(c) ");
  registry.arrange({{"c", {}}});
  registry.replace("a", nullptr, {tool("ghost")});  // is gone
  CHECK(names(*registry.current()) == "three(c) ");
  CHECK(*id == "a");
  registry.arrange({{"c", {}}, {"a", {}}});
  registry.replace("a", nullptr, {tool("again")});
  CHECK(names(*registry.current()) == "again(a) three(c) ");
  CHECK(registry.current()->find(Kind::tool, "again")->source == id);
}

TEST_CASE("whoever lets go of a snapshot last, the registry destroys it") {
  Registry registry;
  registry.declare("p", {});
  registry.replace("p", nullptr, {tool("one")});
  const std::weak_ptr<const Snapshot> watched = registry.current();
  SnapshotPtr reader = registry.current();
  registry.replace("p", nullptr, {tool("two")});
  registry.replace("p", nullptr, {tool("three")});
  reader.reset();
  CHECK_FALSE(watched.expired());
  registry.replace("p", nullptr, {tool("four")});
  CHECK(watched.expired());
}

TEST_CASE(
    "a member of a definition that clients would choke on is left out, and all others are served as they are") {
  Registry registry;
  registry.declare("p", {});
  ItemDef resource{
      .kind = Kind::resource, .name = "x:1", .definition = R"({"name":5,"mimeType":null,"size":1.5,"y":1})"};
  ItemDef templates{
      .kind = Kind::resource_template, .name = "x:{id}", .definition = R"({"annotations":{"priority":9}})"};
  ItemDef prompt{
      .kind = Kind::prompt,
      .name = "ask",
      .definition = R"({"arguments":[{"title":"nameless"},{"name":"a","required":"yes"},{"name":"b"}]})"};
  registry.replace(
      "p", nullptr,
      {tool("null", R"({"description":null,"title":null,"annotations":null,"outputSchema":null})"),
       tool(
           "types",
           R"({"description":5,"title":[],"icons":"x","annotations":{"readOnlyHint":"yes","z":[1.50]},"_meta":7})"),
       tool("icons",
            R"({"icons":[{"src":1},{"src":"data:,","theme":"grey"}],"execution":{"taskSupport":"maybe"}})"),
       tool("sound", R"({"description" : "d", "annotations":{"readOnlyHint":true},"unknown":null})"), resource,
       templates, prompt});
  const SnapshotPtr snapshot = registry.current();
  CHECK(reasons(*snapshot).empty());
  const auto served = [&](Kind kind, std::string_view name) {
    const Item* item = snapshot->find(kind, name);
    return item ? item->def->definition : "none";
  };
  CHECK(served(Kind::tool, "null") == "{}");
  CHECK(served(Kind::tool, "types") == R"({"annotations":{"z":[1.50]}})");
  CHECK(served(Kind::tool, "icons") == R"({"icons":[{"src":"data:,"}],"execution":{}})");
  CHECK(served(Kind::tool, "sound") ==
        R"({"description" : "d", "annotations":{"readOnlyHint":true},"unknown":null})");
  CHECK(served(Kind::resource, "x:1") == R"({"y":1})");
  CHECK(served(Kind::resource_template, "x:{id}") == R"({"annotations":{}})");
  CHECK(served(Kind::prompt, "ask") == R"({"arguments":[{"name":"a"},{"name":"b"}]})");
  std::string mended;
  for (const Mended& m : snapshot->mended()) mended += m.source + "/" + m.name + " " + m.left_out + "\n";
  INFO(mended);
  CHECK(snapshot->mended().size() == 19);
  CHECK(mended.find("p/null /description [type]") != std::string::npos);
}

TEST_CASE("so many members of a definition may be wrong and no more") {
  const auto icons = [](unsigned count) {
    std::string all;
    for (unsigned i = 0; i < count; ++i) all += "1,";
    return R"({"icons":[)" + all + R"({"src":"x:"}]})";
  };
  Registry registry;
  registry.declare("p", {});
  registry.replace(
      "p", nullptr,
      {tool("most", icons(limits::kMendedMembersMax)), tool("more", icons(limits::kMendedMembersMax + 1))});
  CHECK(names(*registry.current()) == "most(p) ");
  CHECK(reasons(*registry.current()).starts_with("p/more: its definition has too much that is wrong"));
}

TEST_CASE("a registry's validations take as many steps as it says, and not one more") {
  const std::string definition = R"({"inputSchema":{"type":"object","properties":{"v":{"items":{"minimum":0}}}}})";
  const auto verdict = [&](std::int64_t steps_max, unsigned count) {
    Registry registry(limits::kToolNameBytesMax, steps_max);
    registry.declare("a", {});
    registry.replace("a", nullptr, {tool("many", definition)});
    const SnapshotPtr snapshot = registry.current();
    const Item& item = snapshot->items(Kind::tool).at(0);
    std::string text = R"({"v":[0)";
    for (unsigned i = 1; i < count; ++i) text += ",0";
    json::Document arguments;
    REQUIRE_FALSE(json::parse(text + "]}", arguments));
    return check_arguments(*item.compiled, *item.def, item.name, &arguments).value_or("fits");
  };
  const auto most = [&](std::int64_t steps_max) {
    unsigned count = 1;
    while (verdict(steps_max, count + 1) == "fits") ++count;
    return count;
  };
  const unsigned few = most(1'000);
  CHECK(most(1'100) == few + 50);  // an item is looked at and entered
  CHECK_THAT(verdict(1'000, few + 1), Catch::Contains("server.limits.schema_steps_max"));
}
