#include "worker/host/worker_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"

namespace collet::worker {
namespace {

constexpr std::size_t kReadBytes = 64u << 10;  // as much as a pipe holds

std::uint64_t now_ms() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
}

// What log::Format::prefixed puts in front of a line. Anyone may, on stderr of a service: sd-daemon(3).
log::Level take_level(std::string_view& line) {
  if (line.size() < 3 || line[0] != '<' || line[1] < '0' || line[1] > '7' || line[2] != '>') return log::Level::info;
  const char severity = line[1];
  line.remove_prefix(3);
  if (severity <= '3') return log::Level::error;
  if (severity == '4') return log::Level::warning;
  return severity == '7' ? log::Level::debug : log::Level::info;
}

}  // namespace

WorkerLog::WorkerLog(std::string plugin, Descriptor pipe)
    : name_("plugin " + std::move(plugin) + ": "), pipe_(std::move(pipe)) {
  fcntl(pipe_.get(), F_SETFL, fcntl(pipe_.get(), F_GETFL) | O_NONBLOCK);
}

WorkerLog::~WorkerLog() {
  if (pipe_) read();
  if (!line_.empty()) take_line();
  tell_left_out();
}

void WorkerLog::read() {
  std::array<char, kReadBytes> buffer;
  const ssize_t size = ::read(pipe_.get(), buffer.data(), buffer.size());
  if (size > 0) return take({buffer.data(), static_cast<std::size_t>(size)});
  if (size == 0 || (errno != EAGAIN && errno != EINTR)) pipe_ = Descriptor();
}

// A very long line comes in pieces.
void WorkerLog::take(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t room = limits::kWorkerLogLineBytesMax - line_.size();
    const std::size_t end = bytes.substr(0, room).find('\n');
    const bool whole = end != std::string_view::npos;
    const std::string_view piece = bytes.substr(0, whole ? end : room);
    line_ += piece;
    bytes.remove_prefix(piece.size() + whole);
    if (whole || line_.size() == limits::kWorkerLogLineBytesMax) take_line();
  }
}

void WorkerLog::take_line() {
  const std::string whole = std::exchange(line_, {});
  const text::Utf8 readable(whole);
  std::string_view line = readable.view();
  const log::Level level = take_level(line);
  if (line.starts_with(name_)) line.remove_prefix(name_.size());
  if (line.empty() || !within_limits()) return;
  ++lines_;
  bytes_ += line.size();
  log::write(level, name_ + std::string(line));
}

bool WorkerLog::within_limits() {
  const std::uint64_t now = now_ms();
  if (since_ms_ == 0 || now >= since_ms_ + limits::kWorkerLogMs) {
    tell_left_out();
    since_ms_ = now;
    lines_ = bytes_ = 0;
  }
  if (lines_ < limits::kWorkerLogLinesMax && bytes_ < limits::kWorkerLogBytesMax) return true;
  if (lines_left_out_++ == 0) {
    log::warning("{}it writes more to the log than anyone reads; the rest is counted for {} s, not shown", name_,
                 limits::kWorkerLogMs / 1'000);
  }
  return false;
}

void WorkerLog::tell_left_out() {
  if (const std::uint64_t count = std::exchange(lines_left_out_, 0)) {
    log::warning("{}{} lines of its log are left out", name_, count);
  }
}

}  // namespace collet::worker
