#include "base/json_members.h"

#include "support/catch.h"

using namespace collet;

TEST_CASE("an object is written member by member, and an array element by element") {
  CHECK(json::ObjectText().take() == "{}");
  CHECK(json::ArrayText().take() == "[]");
  json::ArrayText list;
  list.add("1").add(R"("two")");
  json::ObjectText object;
  object.add("a", list.take()).add_text("b \"c\"", "say\n\"hi\"").add_number("d", 18'446'744'073'709'551'615u).add_bool("e", false);
  CHECK(object.take() == R"({"a":[1,"two"],"b \"c\"":"say\n\"hi\"","d":18446744073709551615,"e":false})");
}
