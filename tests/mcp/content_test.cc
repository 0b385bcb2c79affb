#include "mcp/content.h"

#include "support/catch.h"

using namespace collet;

TEST_CASE("a block of text is one line of JSON, whatever the text is") {
  CHECK(mcp::text_block("a") == R"({"type":"text","text":"a"})");
  CHECK(mcp::text_block("say \"hi\"\n") == R"({"type":"text","text":"say \"hi\"\n"})");
  std::string out = "before";
  mcp::append_text_block(out, "");
  CHECK(out == R"(before{"type":"text","text":""})");
}
