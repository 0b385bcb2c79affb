#include "cli/output.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "base/display.h"
#include "base/log.h"
#include "base/nearest.h"
#include "cli/columns.h"
#include "config/section.h"

namespace collet::cli {
namespace {

constexpr std::size_t kUnknownWidth = 80;  // of a terminal that does not say it

bool ignores_pipe() {
  struct sigaction action;
  return sigaction(SIGPIPE, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

void say(std::string_view text) {
  std::string lines = display::printable_lines(text);
  if (!lines.ends_with('\n')) lines += '\n';
  log::print(lines);
}

int complain(const std::string& message, int exit_code) {
  say("collet: " + message);
  return exit_code;
}

std::string suggestion(std::string_view word, std::span<const std::string> known) {
  const std::string_view meant = text::nearest(word, known);
  return meant.empty() ? std::string() : fmt::format("; did you mean {}?", meant);
}

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(descriptor, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {  // somebody who shares the descriptor wants it so
      pollfd wait{descriptor, POLLOUT, 0};
      poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

Output::Output(int descriptor)
    : descriptor_(descriptor), is_terminal_(isatty(descriptor) == 1), dies_of_pipe_(!ignores_pipe()) {}

Output::~Output() {
  if (descriptor_ >= 0) close(descriptor_);
}

void Output::write(std::string_view text) {
  if (failed()) return;
  const bool written =
      is_terminal_ ? write_all(descriptor_, display::printable_lines(text)) : write_all(descriptor_, text);
  if (!written) error_ = errno;
}

std::size_t Output::width() const {
  if (!is_terminal_) return kAnyWidth;
  winsize size{};
  return ioctl(descriptor_, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUnknownWidth;
}

int Output::finish(int exit_code) {
  if (close(std::exchange(descriptor_, -1)) != 0 && !failed()) error_ = errno;  // some disks are full only then
  if (!failed()) return exit_code;
  if (error_ == EPIPE && dies_of_pipe_) {
    std::signal(SIGPIPE, SIG_DFL);
    std::raise(SIGPIPE);
  }
  complain(fmt::format("the result could not be written: {}", std::strerror(error_)));
  return exit_code == kOk ? kUnwritten : exit_code;
}

}  // namespace collet::cli
