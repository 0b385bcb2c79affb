#include "cli/saved_contents.h"

#include "support/catch.h"
#include "support/folder.h"

using namespace collet;

TEST_CASE("the first content takes the place of the file, the next ones are numbered") {
  Folder folder;
  const std::string file = folder.write("a.png", "older");
  cli::SavedContents saved(file);
  CHECK(saved.save(std::string_view("1\0", 2)).value() == file);
  CHECK(saved.save("2").value() == folder.path() + "/a-2.png");
  CHECK(saved.save("").value() == folder.path() + "/a-3.png");
  CHECK(saved.count() == 3);
  CHECK(folder.read("a.png") == std::string_view("1\0", 2));
  CHECK(folder.read("a-2.png") == "2");
}

TEST_CASE("a file that nobody has named is not written over") {
  Folder folder;
  const std::string other = folder.write("a-2", "older");
  cli::SavedContents saved(folder.path() + "/a");
  REQUIRE(saved.save("1"));
  const auto second = saved.save("2");
  REQUIRE_FALSE(second);
  CHECK_THAT(second.message(), Catch::Equals("cannot write " + other + ": File exists"));
  CHECK(saved.count() == 1);
  CHECK(folder.read("a-2") == "older");
}

TEST_CASE("what cannot be written is an error") {
  CHECK_FALSE(cli::SavedContents("/nowhere/a").save("1"));
  CHECK_THAT(cli::SavedContents("/dev/full").save("1").message(), Catch::EndsWith("No space left on device"));
}
