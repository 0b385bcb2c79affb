#include "plugin/replace/item_changes.h"

#include "plugin/run/items.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::plugin;
using registry::Kind;
using Names = std::vector<std::string>;

TEST_CASE("changes of items are told by their names, and by their kinds where they are no tools") {
  const std::vector<OfferedItem> before = {{Kind::tool, "echo", 1, {}, true},
                                           {Kind::tool, "math", 1, {}, true},
                                           {Kind::tool, "sort", 1, {}, true},
                                           {Kind::prompt, "greet", 1, {}, true},
                                           {Kind::prompt, "later", 1, {}, false}};
  std::vector<OfferedItem> now = {{Kind::tool, "echo", 1, {}, false},
                                  {Kind::tool, "math", 2, {}, false},
                                  {Kind::tool, "sort", 1, {}, false},
                                  {Kind::tool, "greet", 1, {}, false}};
  now[2].traits.idempotent = true;
  const ItemChanges changes = changes_between(before, now);
  CHECK(changes.added == Names{"greet"});
  CHECK(changes.removed == Names{"prompt greet", "prompt later"});
  CHECK(changes.lost == Names{"prompt greet"});
  CHECK(changes.changed == Names{"math", "sort"});
  CHECK(changes.to_text() == "+greet -prompt greet -prompt later ~math ~sort");
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

TEST_CASE("what is to be raised is the number that says it") {
  CHECK(number_to_raise("1.2.3") == "its first number");
  CHECK(number_to_raise("0.2.3") == "its second number");
  CHECK(number_to_raise("0a") == "it");
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
  const collet_item a = add("a");
  add("b");
  REQUIRE(items.commit() == COLLET_OK);
  items.publish_by(items.pause(), {});
  add("c");
  REQUIRE(items.remove(a) == COLLET_OK);
  REQUIRE(items.commit() == COLLET_OK);
  items.publish_by(items.pause(), {});  // again, as for one that was parked
  const std::vector<OfferedItem> offered = items.offered(items.pause());
  REQUIRE(offered.size() == 2);
  CHECK(offered[0].name == "b");
  CHECK(offered[0].from_start);
  CHECK(offered[1].name == "c");
  CHECK_FALSE(offered[1].from_start);
}
