#include "client/net/encoding.h"

#include <set>

#include "support/catch.h"

using namespace collet::client;

TEST_CASE("base64 with and without padding, as RFC 4648 §10 has it") {
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64url("f") == "Zg");
  CHECK(base64url("\xfb\xff\xbf") == "-_-_");
  CHECK(base64("\xfb\xff\xbf") == "+/+/");
}

TEST_CASE("base64url is read back, and only in its one form") {
  for (const std::string text : {"", "f", "fo", "foo", "\xff\xfe\xfd\xfc"}) {
    CHECK(from_base64url(base64url(text)) == text);
  }
  CHECK_FALSE(from_base64url("Zg=="));  // padding
  CHECK_FALSE(from_base64url("Zh"));    // bits beyond the last byte
  CHECK_FALSE(from_base64url("Z"));     // half a byte
  CHECK_FALSE(from_base64url("Z+8"));
}

TEST_CASE("random texts differ") {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) CHECK(seen.insert(random_text(16)).second);
}
