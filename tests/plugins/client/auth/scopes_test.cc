#include "client/auth/scopes.h"

#include "client/auth/budget.h"
#include "client/auth/limits.h"
#include "support/catch.h"

using namespace collet::client;
using namespace collet::client::auth;

TEST_CASE("scopes are read, each once and in order, and written") {
  CHECK(parse_scopes("  b a  b c ") == Scopes{"b", "a", "c"});
  CHECK(parse_scopes("").empty());
  CHECK(join_scopes({"a", "b"}) == "a b");
  CHECK(covers({"a", "b"}, {"b"}));
  CHECK(covers({}, {}));
  CHECK_FALSE(covers({"a"}, {"a", "b"}));
}

TEST_CASE("no more scopes than the limit") {
  std::string text;
  for (std::size_t i = 0; i < auth::limits::kScopesMax; ++i) text += "s" + std::to_string(i) + " ";
  CHECK(parse_scopes(text).size() == auth::limits::kScopesMax);
  CHECK(parse_scopes(text + "more").size() == auth::limits::kScopesMax);
}

TEST_CASE("offline_access") {
  const auto settled = [](Scopes scopes, const Scopes& offered, bool of_use) {
    settle_offline_access(scopes, offered, of_use);
    return join_scopes(scopes);
  };
  CHECK(settled({"a"}, {"offline_access"}, true) == "a offline_access");
  CHECK(settled({"a"}, {"offline_access"}, false) == "a");
  CHECK(settled({"a", "offline_access"}, {"a"}, true) == "a");
  CHECK(settled({}, {"offline_access"}, true) == "");
}

TEST_CASE("a budget is used up within its window, and comes back as the window moves") {
  Budget budget(2, 10);
  CHECK(budget.take(100));
  CHECK(budget.take(105));
  CHECK_FALSE(budget.take(109));
  CHECK(budget.take(110));
  CHECK_FALSE(budget.take(114));
  CHECK(budget.take(115));
}
