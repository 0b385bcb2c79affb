#include "cli/listing.h"

#include "cli/columns.h"
#include "support/catch.h"

using namespace collet;

namespace {

constexpr const char* kListing = R"({"items":[
  {"kind":"tool","name":"add","plugin":"math","definition":{"description":"Adds\nnumbers","inputSchema":
    {"properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"required":["a"]}}},
  {"kind":"tool","name":"x\u001by","plugin":"p","definition":{}},
  {"kind":"prompt","name":"greet","plugin":"p","definition":{"arguments":[{"name":"who","required":true},{"name":"how"}]}},
  {"kind":"resource","name":"r:","plugin":"p","definition":{}}],
  "leftOut":[{"name":"add","plugin":"again","reason":"It is there already, from the plugin math"}],"plugins":[]})";

}  // namespace

TEST_CASE("an item is listed with the first line of its description, tools and prompts with what they are called with") {
  CHECK(cli::listing_text(kListing, cli::kAnyWidth) ==
        "tool      add     math          Adds\n"
        "          add(a: integer, b?: integer)\n"
        "tool      x\\x1by  p             \n"
        "          x\\x1by()\n"
        "prompt    greet   p             \n"
        "          greet(who: string, how?: string)\n"
        "resource  r:      p             \n"
        "left out  add     again         It is there already, from the plugin math\n");
}

TEST_CASE("lines of items are shortened to the width of the terminal; why one is left out is not") {
  const std::string text = cli::listing_text(kListing, 34);
  CHECK_THAT(text, Catch::Contains("tool      add     math          A…\n          add(a: integer, b?: int…\n"));
  CHECK_THAT(text, Catch::Contains("left out  add     again         It is there already, from the plugin math\n"));
  CHECK_THAT(cli::listing_text(kListing, 38), Catch::Contains("          add(a: integer, b?: integer)\n"));
}

TEST_CASE("names of 32 columns are as wide as the column, longer ones wider") {
  for (const std::size_t size : {32, 33}) {
    const std::string name(size, 'n');
    const std::string text = cli::listing_text(
        R"({"items":[{"kind":"prompt","name":")" + name + R"(","plugin":"p"},{"kind":"resource","name":"a","plugin":"q"}]})",
        cli::kAnyWidth);
    CHECK_THAT(text, Catch::Contains(name + "  p "));
    CHECK_THAT(text, Catch::Contains("  a" + std::string(31 + 2, ' ') + "q "));
  }
}

TEST_CASE("what is no listing has no lines") {
  CHECK(cli::listing_text("{", cli::kAnyWidth).empty());
  CHECK(cli::listing_text("{}", cli::kAnyWidth).empty());
  CHECK(cli::remote_problems("[]").empty());
}
