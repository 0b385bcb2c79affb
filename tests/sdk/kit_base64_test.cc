#include <collet/kit/base64.hpp>

#include "support/catch.h"

using namespace collet::kit;

TEST_CASE("base64 with and without padding, as RFC 4648 §10 has it") {
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64("\xfb\xff\xbf") == "+/+/");
  CHECK(base64url("") == "");
  CHECK(base64url("f") == "Zg");
  CHECK(base64url("fo") == "Zm8");
  CHECK(base64url("\xfb\xff\xbf") == "-_-_");
}

TEST_CASE("base64 is appended to what is there") {
  std::string out = "data:";
  append_base64(out, "f");
  append_base64(out, "");
  append_base64(out, "fo");
  CHECK(out == "data:Zg==Zm8=");
}

TEST_CASE("base64 round-trips, whatever its bytes and length") {
  std::string bytes;
  for (int i = 0; i < 260; ++i) {
    REQUIRE(from_base64(base64(bytes)) == bytes);
    REQUIRE(from_base64url(base64url(bytes)) == bytes);
    bytes += static_cast<char>(0xff - i);
  }
}

TEST_CASE("base64 is read in its one form, and refused in every other spelling") {
  for (const char* s : {"Zg=", "Zg", "Zh==", "Z===", "====", "Zm9=vYmF", "Zm9v YmFy", "Zm9v\n", "Zm-v", "Zm8=Zm8=", "Zg==Zg=="}) {
    CAPTURE(s);
    CHECK_FALSE(from_base64(s));
  }
  CHECK_FALSE(from_base64url("Zg=="));  // padding
  CHECK_FALSE(from_base64url("Zh"));    // bits beyond the last byte
  CHECK_FALSE(from_base64url("Z"));     // half a byte
  CHECK_FALSE(from_base64url("Z+8"));
}
