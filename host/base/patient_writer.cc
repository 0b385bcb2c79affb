#include "base/patient_writer.h"

#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace collet {
namespace {

constexpr int kPatienceMs = 500;

}  // namespace

void PatientWriter::write(std::string_view lines) {
  const std::lock_guard lock(mutex_);
  const auto count = static_cast<std::uint64_t>(std::count(lines.begin(), lines.end(), '\n'));
  if (lost_ > 0) {
    if (!put(fmt::format("{}({} lines were lost here: nobody read them)\n", cut_ ? "\n" : "", lost_), 0)) {
      lost_ += count;
      return;
    }
    lost_ = 0;
    cut_ = false;
  }
  if (!put(lines, kPatienceMs)) lost_ = count;
}

// A pipe that can be written to takes PIPE_BUF bytes without waiting.
bool PatientWriter::put(std::string_view text, int patience_ms) {
  for (bool begun = false; !text.empty();) {
    pollfd ready{descriptor_, POLLOUT, 0};
    const int some = poll(&ready, 1, patience_ms);
    if (some < 0 && errno == EINTR) continue;
    if (some == 0) {
      cut_ |= begun;
      return false;
    }
    const ssize_t written = ::write(descriptor_, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
    if (written < 0 && errno != EINTR && errno != EAGAIN) return true;  // nobody is there to be told
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    begun = true;
  }
  return true;
}

}  // namespace collet
