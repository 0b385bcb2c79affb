#include "plugin/replace/item_changes.h"

#include "plugin/run/items.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::plugin;
using registry::ItemDef;
using registry::Kind;
using Names = std::vector<std::string>;

TEST_CASE("changes of items are told by their names, and by their kinds where they are no tools") {
  const std::vector<ItemDef> before = {{.kind = Kind::tool, .name = "echo", .definition = "{}"},
                                       {.kind = Kind::tool, .name = "math", .definition = "{}"},
                                       {.kind = Kind::tool, .name = "sort", .definition = "{}"},
                                       {.kind = Kind::prompt, .name = "greet", .definition = "{}"}};
  std::vector<ItemDef> now = {{.kind = Kind::tool, .name = "echo", .definition = "{}"},
                              {.kind = Kind::tool, .name = "math", .definition = R"({"title":"Math"})"},
                              {.kind = Kind::tool, .name = "sort", .definition = "{}"},
                              {.kind = Kind::tool, .name = "greet", .definition = "{}"}};
  now[2].traits.idempotent = true;
  const ItemChanges changes = changes_between(before, now);
  CHECK(changes.added == Names{"greet"});
  CHECK(changes.removed == Names{"prompt greet"});
  CHECK(changes.changed == Names{"math", "sort"});
  CHECK(changes.to_text() == "+greet -prompt greet ~math ~sort");
  CHECK(changes_between(before, before).empty());
  CHECK(ItemChanges().to_text() == "");
}

TEST_CASE("of many changes a few are named, and the others counted") {
  ItemChanges changes;
  for (int i = 0; i < 8; ++i) changes.added.push_back(std::string(1, static_cast<char>('a' + i)));
  CHECK(changes.to_text() == "+a +b +c +d +e +f +g +h");
  changes.added.push_back("i");
  CHECK(changes.to_text() == "+a +b +c +d +e +f +g +h +1 more");
}

TEST_CASE("a version says that items go by its first number, or the second one while that is 0") {
  for (const auto& [before, now] : {std::pair("1.2.3", "2.0.0"), std::pair("1.2.3", "10.0.0-rc.1"), std::pair("0.2.3", "0.3.0"),
                                    std::pair("0.9.0", "1.0.0"), std::pair("spring", "summer"), std::pair("1.2.3", "summer")}) {
    CAPTURE(before, now);
    CHECK(says_that_items_go(before, now));
  }
  for (const auto& [before, now] : {std::pair("1.2.3", "1.2.3"), std::pair("1.2.3", "1.3.0"), std::pair("2.0.0", "1.9.9"),
                                    std::pair("0.2.3", "0.2.4"), std::pair("1.2.3", "0.9.0"), std::pair("spring", "spring"),
                                    std::pair("", "")}) {
    CAPTURE(before, now);
    CHECK_FALSE(says_that_items_go(before, now));
  }
}

TEST_CASE("items that are added while the plugin serves are not there from the start") {
  Items items({});
  const auto add = [&](const char* name) {
    const collet_item_def def = {.struct_size = sizeof def, .kind = COLLET_TOOL, .flags = 0, .timeout_ms = 0, .user = nullptr,
                                 .name = {name, 1}, .definition = {nullptr, 0}};
    collet_item item;
    REQUIRE(items.add(def, &item) == COLLET_OK);
    return item;
  };
  const auto names = [](const std::vector<ItemDef>& defs) {
    Names found;
    for (const ItemDef& def : defs) found.push_back(def.name);
    return found;
  };
  const collet_item a = add("a");
  add("b");
  REQUIRE(items.commit() == COLLET_OK);
  items.publish_by(items.pause(), {});
  add("c");
  REQUIRE(items.remove(a) == COLLET_OK);
  REQUIRE(items.commit() == COLLET_OK);
  items.publish_by(items.pause(), {});  // again, as for one that was parked
  CHECK(names(items.current(items.pause())) == Names{"b", "c"});
  CHECK(names(items.from_start(items.pause())) == Names{"b"});
}
