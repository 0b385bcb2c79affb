#include "plugin/crash/record.h"

#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "plugin/crash/report.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::plugin;
using crash::Record;

namespace {

// A record as somebody has left it who may have written anything.
class Left {
 public:
  Left() {
    REQUIRE(ftruncate(file_.get(), crash::kRecordBytes) == 0);
    record_ = crash::map_record(file_.get(), 0);
    REQUIRE(record_);
  }

  Record& record() { return *record_; }
  std::optional<Record> take() const { return crash::take_record(file_.get(), 0); }

 private:
  const Descriptor file_{memfd_create("record", MFD_CLOEXEC)};
  Record* record_ = nullptr;
};

}  // namespace

TEST_CASE("what is not recorded is not read") {
  Left left;
  CHECK_FALSE(left.take());
  left.record().stage = Record::kWhole;
  CHECK(left.take());
}

TEST_CASE("a record that was cut off, or is wrong, is made sound") {
  Left left;
  std::memset(&left.record(), 0xff, sizeof(Record));
  auto taken = left.take();
  REQUIRE(taken);
  CHECK(taken->frame_count == 0);
  CHECK(taken->plugin.view().size() == 64);
  left.record().stage = Record::kWhole;
  taken = left.take();
  CHECK(taken->frame_count == Record::kFramesMax);
  CHECK(taken->module_count == Record::kModulesMax);
  CHECK(taken->frames[0].module == Record::kNoModule);
  for (const std::string& line : crash::describe(*taken, {}, "/nowhere")) {
    CHECK(line.find('\n') == std::string::npos);
  }
}

TEST_CASE("an end is said in words") {
  Left left;
  Record& record = left.record();
  record.stage = Record::kPlaced;
  record.signal = SIGSEGV;
  record.code = 1;
  record.address = 16;
  CHECK(crash::describe(*left.take(), {}, "/nowhere") ==
        std::vector<std::string>{"crashed with SIGSEGV (Segmentation fault) at address 0x10 outside of any plugin's code"});
  record.plugin.set("p");
  record.function.set("its call()");
  record.kind.set("tool");
  record.item.set("add");
  record.call = 7;
  record.code = 0;  // by somebody's kill()
  CHECK(crash::describe(*left.take(), {}, "/nowhere").front() ==
        "crashed with SIGSEGV (Segmentation fault) in its call() of the tool \"add\", call 7");
  record.signal = 0;
  record.ender.set("exit");
  record.kind.set("");
  record.call = 0;
  CHECK(crash::describe(*left.take(), {}, "/nowhere").front() == "called exit(0) in its call()");
}

TEST_CASE("a file is called by what it was copied from") {
  Left left;
  Record& record = left.record();
  record.stage = Record::kWhole;
  record.signal = SIGABRT;
  record.frame_count = record.module_count = 1;
  const auto last_word = [&](std::string_view loaded_as, const crash::LoadedLibrary& library) {
    record.modules[0].set(loaded_as);
    const std::string line = crash::describe(*left.take(), library, "/nowhere").back();
    return line.substr(line.rfind(' ') + 1);
  };
  const crash::LoadedLibrary library{.original = "/opt/add.so", .copy = "/run/7-1/3-add.so", .view = "/run/7-1/3-add.so"};
  CHECK(last_word("/proc/self/fd/4", library) == "/opt/add.so");
  CHECK(last_word("/run/7-1/3-add.so", library) == "/opt/add.so");
  CHECK(last_word("/lib/libc.so.6", library) == "/lib/libc.so.6");
  CHECK(last_word("", library) == "collet");
  const crash::LoadedLibrary viewed{
      .original = "add.so", .copy = "/run/7-1/3-view/opt/add.so", .view = "/run/7-1/3-view"};
  CHECK(last_word("/proc/self/fd/4/add.so", viewed) == "add.so");
  CHECK(last_word("/proc/self/fd/4/libother.so", viewed) == "/opt/libother.so");
  CHECK(last_word("/run/7-1/3-add.so", {.process = 7}) == "add.so");
  CHECK(last_word("/run/7-1/3-view/opt/add.so", {.process = 7}) == "/opt/add.so");
}
