#include "cli/table.h"

#include "cli/columns.h"
#include "support/catch.h"

using namespace collet;

TEST_CASE("a character is a column, however many bytes it has") {
  CHECK(cli::columns_of("größe") == 5);
  CHECK(cli::padded("ä", 3) == "ä  ");
  CHECK(cli::padded("äöü", 2) == "äöü");
}

TEST_CASE("a line is shortened past its width, and not at it") {
  CHECK(cli::shortened("äöüß", 4) == "äöüß");
  CHECK(cli::shortened("äöüß!", 4) == "äöü…");
  CHECK(cli::shortened("ab", 1) == "…");
  CHECK(cli::shortened("as long as you like", cli::kAnyWidth) == "as long as you like");
}

TEST_CASE("text is broken between words") {
  CHECK(cli::wrapped("one two three", 7, 2) == "one two\n  three");
  CHECK(cli::wrapped("one two three", 6, 2) == "one\n  two\n  three");
  CHECK(cli::wrapped("longword x", 4, 0) == "longword\nx");
  CHECK(cli::wrapped("a\n\nb", 10, 2) == "a\n  \n  b");
  CHECK(cli::wrapped("a\n", 10, 2) == "a\n");
  CHECK(cli::wrapped("one two\nthree", cli::kAnyWidth, 1) == "one two\n three");
}

TEST_CASE("columns are as wide as their texts, and those without any are left out") {
  cli::Table table({"name", "default", "description"});
  CHECK(table.empty());
  table.add({"a", "", "First"});
  table.add({"longer", "", ""});
  CHECK_FALSE(table.empty());
  CHECK(table.to_text(cli::kAnyWidth) == "  name    description\n  a       First\n  longer\n");
}

TEST_CASE("the last column keeps to the width, but for its least") {
  cli::Table table({"name", "description"});
  table.add({"a", "one two three four five"});
  CHECK(table.to_text(28) == "  name  description\n  a     one two three four\n        five\n");
  CHECK(table.to_text(10) == table.to_text(28));
  CHECK(table.to_text(31) == "  name  description\n  a     one two three four five\n");
}
