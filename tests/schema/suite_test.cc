#include "schema/suite.h"

#include <cstdlib>
#include <filesystem>
#include <map>

#include "support/catch.h"

using namespace collet;
using namespace collet::schema;

namespace {

struct Count {
  unsigned passed = 0;
  unsigned failed = 0;
};

std::string suite_folder() {
  const char* folder = std::getenv("COLLET_JSON_SCHEMA_SUITE");
  return folder ? folder : COLLET_JSON_SCHEMA_SUITE;
}

// required, optional or format
std::string part_of(const SuiteFile& file) {
  if (file.name.rfind("optional/format/", 0) == 0) return "format";
  return file.name.rfind("optional/", 0) == 0 ? "optional" : "required";
}

void add(Count& count, const SuiteFile& file) {
  count.passed += file.passed;
  count.failed += file.failed;
}

}  // namespace

TEST_CASE("the official suite passes, fast and explain agreeing on every test") {
  const std::string folder = suite_folder();
  if (!std::filesystem::is_directory(folder)) {
    std::printf("JSON Schema suite: not at %s: skipped\n", folder.c_str());
    return;
  }
  const auto report = run_suite({folder, {}});
  INFO((report ? std::string() : report.message()));
  REQUIRE(report);
  std::map<Dialect, std::map<std::string, Count>> counts;
  Count draft7_content;
  for (const SuiteFile& file : report->files) {
    add(counts[file.dialect][part_of(file)], file);
    if (file.dialect == Dialect::draft7 && file.name == "optional/content.json") add(draft7_content, file);
    for (const std::string& failure : file.failures) {
      std::printf("JSON Schema suite: %s %s: %s\n", std::string(name(file.dialect)).c_str(), file.name.c_str(),
                  failure.c_str());
      CHECK(failure.find("disagree") == std::string::npos);
      CHECK(failure.find("reason") == std::string::npos);
    }
  }
  for (const auto& [dialect, parts] : counts) {
    for (const auto& [part, count] : parts) {
      std::printf("JSON Schema suite: %-8s %-8s %4u of %4u\n", std::string(name(dialect)).c_str(), part.c_str(),
                  count.passed, count.passed + count.failed);
    }
  }
  REQUIRE(counts.size() == kDialects);
  for (auto& [dialect, parts] : counts) {
    INFO(name(dialect));
    CHECK(parts["required"].passed > 900);
    CHECK(parts["required"].failed == 0);
    CHECK(parts["format"].passed * 100 >= (parts["format"].passed + parts["format"].failed) * 89);
  }
  CHECK(counts[Dialect::draft2020_12]["optional"].failed == 0);
  CHECK(counts[Dialect::draft2019_09]["optional"].failed == 0);
  // Draft-07 lets contentMediaType assert; here, as in every later dialect, it says what a string holds.
  CHECK(counts[Dialect::draft7]["optional"].failed == draft7_content.failed);
}

TEST_CASE("a suite's folder may be given at any level, and what fails is counted and named") {
  namespace fs = std::filesystem;
  const fs::path root = fs::temp_directory_path() / ("collet-suite-" + std::to_string(std::rand()));
  const auto write = [&](const char* file, const char* text) {
    fs::create_directories((root / file).parent_path());
    FILE* out = std::fopen((root / file).c_str(), "w");
    REQUIRE(out);
    std::fputs(text, out);
    std::fclose(out);
  };
  write("remotes/there.json", R"({"type":"integer"})");
  write("tests/draft3/a.json", "[]");
  write("tests/draft2020-12/a.json", R"([
    {"description":"remote","schema":{"$ref":"http://localhost:1234/there.json"},"tests":[
      {"description":"right","data":1,"valid":true},{"description":"wrong","data":"x","valid":true}]},
    {"description":"bad","schema":{"type":"nothing"},"tests":[{"description":"any","data":1,"valid":true}]}])");
  for (const fs::path& folder : {root, root / "tests", root / "tests" / "draft2020-12"}) {
    const auto report = run_suite({folder.string(), {}});
    REQUIRE(report);
    REQUIRE(report->files.size() == 1);
    CHECK(report->files[0].name == "a.json");
    CHECK(report->files[0].passed == 1);
    CHECK(report->files[0].failed == 2);
    const std::string text = to_text(*report);
    CHECK(text.find("2020-12: 1 passed, 2 failed") == 0);
    CHECK(text.find("remote: wrong: should be valid: (root) [type] must be integer, got string \"x\"") !=
          std::string::npos);
    CHECK((text.find("draft3: left out") != std::string::npos) == (folder != root / "tests" / "draft2020-12"));
  }
  CHECK_FALSE(run_suite({(root / "nowhere").string(), {}}));
  CHECK_FALSE(run_suite({(root / "remotes").string(), {}}));
  fs::remove_all(root);
}
