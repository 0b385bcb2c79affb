#include <unistd.h>

#include "cli/verbs.h"
#include "support/catch.h"
#include "support/folder.h"

using namespace collet;

namespace {

int run(const cli::ValidateOptions& options) {
  cli::Output out(dup(STDOUT_FILENO));
  return out.finish(cli::validate(options, STDIN_FILENO, out));
}

int validate(std::string schema, std::string instance, bool assert_formats = false) {
  cli::ValidateOptions options;
  options.schema = std::move(schema);
  options.instance = std::move(instance);
  options.assert_formats = assert_formats;
  return run(options);
}

}  // namespace

TEST_CASE("the exit code tells valid, invalid and a bad schema apart") {
  Folder folder;
  const auto schema = folder.write("schema.json", R"({"type":"string","format":"date"})");
  const auto bad = folder.write("bad.json", R"({"type":"strin"})");
  const auto string = folder.write("string.json", R"("x")");
  const auto number = folder.write("number.json", "1");
  const auto broken = folder.write("broken.json", "{");
  CHECK(validate(schema, string) == 0);
  CHECK(validate(schema, string, true) == 5);
  CHECK(validate(schema, number) == 5);
  CHECK(validate(schema, broken) == 5);
  CHECK(validate(bad, string) == 1);
  CHECK(validate(broken, string) == 1);
  CHECK(validate(schema, folder.path() + "/none.json") == 1);
  CHECK(validate(folder.path() + "/none.json", string) == 1);
}

TEST_CASE("a suite's exit code tells whether all of it passes") {
  Folder folder;
  cli::ValidateOptions options;
  options.suite = folder.path() + "/tests";
  CHECK(run(options) == 1);
  folder.write("tests/draft7/a.json", R"([{"description":"a","schema":{"$ref":"http://localhost:1234/r.json"},
    "tests":[{"description":"t","data":1,"valid":true}]}])");
  CHECK(run(options) == 5);
  folder.write("elsewhere/r.json", R"({"type":"integer"})");
  options.remotes = folder.path() + "/elsewhere";
  CHECK(run(options) == 0);
}
