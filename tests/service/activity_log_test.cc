#include "service/activity_log.h"

#include <unistd.h>

#include <cstdio>
#include <string>

#include "base/limits.h"
#include "base/log.h"
#include "support/catch.h"

using namespace collet;

namespace {

// What is written to stderr meanwhile.
class Heard {
 public:
  Heard() : before_(dup(STDERR_FILENO)) {
    REQUIRE(pipe(ends_) == 0);
    dup2(ends_[1], STDERR_FILENO);
  }
  std::string end() {
    dup2(before_, STDERR_FILENO);
    close(before_);
    close(ends_[1]);
    std::string text;
    char buffer[4096];
    for (ssize_t size; (size = read(ends_[0], buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(size));
    close(ends_[0]);
    return text;
  }

 private:
  const int before_;
  int ends_[2];
};

}  // namespace

TEST_CASE("at the level debug the log says so much of why a call failed, and no more") {
  service::ActivityLog activity;
  registry::CallObserver& observer = activity;
  log::configure(log::Level::debug, log::Format::text);
  for (const std::size_t size : {limits::kLoggedReasonBytesMax, limits::kLoggedReasonBytesMax + 1}) {
    const std::string reason(size, 'y');
    Heard heard;
    observer.on_call_ended({.kind = registry::CallKind::tool, .name = "t", .plugin = "p", .generation = 1},
                           {.how = registry::Ending::How::failed, .rpc_code = -32603, .reason = reason});
    const std::string text = heard.end();
    CHECK(text.find("debug plugin p: tool \"t\" says: " + std::string(limits::kLoggedReasonBytesMax, 'y') + '\n') !=
          std::string::npos);
  }
  log::configure(log::Level::info, log::Format::text);
}
