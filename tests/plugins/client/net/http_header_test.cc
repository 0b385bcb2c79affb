#include "client/net/http_header.h"

#include "support/catch.h"

using namespace collet::client;

TEST_CASE("a configured header is sent as it is meant, or named for what is wrong with it") {
  CHECK(checked_header("X-Key", "a key\r\n\n")->value == "a key");
  CHECK(checked_header("X-Key", "caf\xc3\xa9\tx")->value == "caf\xc3\xa9\tx");
  CHECK_THAT(checked_header("X-Key", "a\r\nX-Other: b").message(),
             Catch::Contains("X-Key") && Catch::Contains("line break"));
  CHECK_THAT(checked_header("X-Key", "a\nb\n").message(),
             Catch::Contains("X-Key") && Catch::Contains("line break"));
  CHECK_THAT(checked_header("X-Key", std::string("a\0b", 3)).message(),
             Catch::Contains("X-Key") && Catch::Contains("control"));
  for (const char* name : {"", "X Key", "X:Key", "X-Key\r\nX-Other", "X-K\xc3\xa9y"}) {
    CHECK_THAT(checked_header(name, "v").message(), Catch::Contains("is no name of a header"));
  }
}
