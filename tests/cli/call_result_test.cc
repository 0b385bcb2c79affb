#include "cli/call_result.h"

#include <fcntl.h>

#include "support/catch.h"
#include "support/folder.h"
#include "support/pipe.h"

using namespace collet;
using registry::CallKind;

namespace {

struct Printed {
  int exit_code;
  std::string text;
};

Printed print(CallKind kind, const registry::Ending& ending, const cli::ResultForm& form = {}) {
  Pipe pipe;
  cli::Output out(pipe.ends[1]);
  const int code = out.finish(cli::print_result(kind, ending, form, out));
  return {code, pipe.read_all()};
}

registry::Ending content(std::string text) {
  registry::Ending ending;
  ending.content = std::move(text);
  return ending;
}

constexpr const char* kImage = R"({"type":"image","mimeType":"image/png","data":"QUJD"})";

}  // namespace

TEST_CASE("of a tool each block is a line, its text or JSON") {
  const auto printed = print(CallKind::tool, content(R"({"type":"text","text":"a"},)" + std::string(kImage)));
  CHECK(printed.text == "a\n" + std::string(kImage) + "\n");
  CHECK(printed.exit_code == cli::kOk);
}

TEST_CASE("what is read is printed as it is: texts, and bytes") {
  const auto printed = print(CallKind::resource, content(R"({"uri":"a","text":"x"},{"uri":"b","blob":"AAE="},)"
                                                         R"({"uri":"c","text":"y\n"})"));
  CHECK(printed.text == std::string_view("x\0\1y\n", 5));
  const auto wrong = print(CallKind::resource, content(R"({"uri":"a","blob":"A"})"));
  CHECK((wrong.exit_code == cli::kToolError && wrong.text.empty()));
}

TEST_CASE("of a prompt each message stands behind its role") {
  const auto printed = print(CallKind::prompt, content(R"({"role":"user","content":{"type":"text","text":"Hello\nthere"}},)"
                                                       R"({"role":"assistant","content":)" + std::string(kImage) + "}"));
  CHECK(printed.text == "user: Hello\nthere\nassistant: " + std::string(kImage) + "\n");
}

TEST_CASE("a completion's values are lines, a hundred of them") {
  CHECK(print(CallKind::complete, content(R"("a","b c")")).text == "a\nb c\n");
  CHECK(print(CallKind::complete, content("")).text.empty());
  for (const int count : {100, 101}) {
    std::string values = "1";
    for (int i = 0; i < count; ++i) values += R"(,"v")";
    const std::string text = print(CallKind::complete, content(values.substr(2))).text;
    CHECK(std::count(text.begin(), text.end(), '\n') == 100);
  }
}

TEST_CASE("as JSON a result is what clients are told") {
  CHECK(print(CallKind::complete, content(R"("a")"), {.json = true, .file = {}}).text ==
        "{\"completion\":{\"values\":[\"a\"]}}\n");
  CHECK(print(CallKind::resource, content(R"({"uri":"a","text":"x"})"), {.json = true, .file = {}}).text ==
        "{\"contents\":[{\"uri\":\"a\",\"text\":\"x\"}]}\n");
}

TEST_CASE("bytes go to files, and texts stay") {
  Folder folder;
  const cli::ResultForm form{.json = false, .file = folder.path() + "/f.png"};
  const auto printed = print(CallKind::tool, content(std::string(kImage) + R"(,{"type":"text","text":"a"},)"
                                                     R"({"type":"resource","resource":{"uri":"u","blob":"eA=="}},)"
                                                     R"({"type":"audio","data":"eQ=="})"), form);
  CHECK(printed.text == "a\n");
  CHECK(folder.read("f.png") == "ABC");
  CHECK(folder.read("f-2.png") == "x");
  CHECK(folder.read("f-3.png") == "y");
}

TEST_CASE("a tool that fails, and a file that cannot be written, have their exit codes") {
  registry::Ending failed = content(kImage);
  failed.is_error = true;
  CHECK(print(CallKind::tool, failed).exit_code == cli::kToolError);
  CHECK(print(CallKind::tool, content(kImage), {.json = false, .file = "/nowhere/f"}).exit_code == cli::kUnwritten);
}
