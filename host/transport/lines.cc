#include "transport/lines.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <string>

#include "base/assert.h"
#include "base/log.h"
#include "base/unsent.h"
#include "loop/hangup_watch.h"

namespace collet::transport {
namespace {

constexpr std::size_t kReadBytes = 64u << 10;
constexpr std::size_t kPiecesMax = 15;  // written by one call without being joined first

}  // namespace

// Descriptors that can be polled are read and written directly when they are ready; files and devices that cannot
// be are read through libuv's thread pool. Lives on after its owner until libuv has let go of it.
struct LineStream::State {
  State(loop::Loop& loop, int in, int out, LineHandler& handler, std::size_t line_bytes_max);
  void destroy();

  void write(std::span<const std::string_view> pieces);
  void write_line(std::span<const std::string_view> pieces);

  // Reading.
  void start_reading();
  void stop_reading();
  bool read_ready();
  void read_file();
  void make_room();
  void took(ssize_t bytes);
  void reading_failed();
  void deliver_lines();
  void deliver_line(std::string_view line);
  void end();

  // Writing.
  void write_ready();
  std::size_t write_now(std::span<const iovec> pieces);
  void wait_to_write();
  void pause();
  void writing_failed();
  bool choked() const { return waiting.size() > limits::kWriteBufferBytesMax; }
  std::size_t undelivered() const;

  // Later, from the loop.
  void defer();
  void run_deferred();

  template <class Handle>
  void close(Handle& handle);
  void let_go() {
    if (--held == 0) delete this;
  }

  loop::Loop& on;
  uv_loop_t* loop;
  LineHandler* handler;  // null once ended or destroyed
  std::size_t line_bytes_max;
  int in;
  int out;
  int out_copy = -1;  // where in and out are one descriptor, which libuv takes only once
  int in_flags;
  int out_flags;
  unsigned held = 0;  // handles and requests that libuv has

  uv_poll_t in_poll;
  uv_poll_t out_poll;
  uv_idle_t idle;
  uv_fs_t file_read;
  bool in_pollable = false;
  bool out_pollable = false;
  bool file_reading = false;
  bool destroyed = false;
  bool delivering = false;
  bool paused = false;  // until the other side has read enough
  bool write_failed = false;
  bool in_ended = false;

  std::unique_ptr<char[]> input;
  std::size_t capacity = 0;
  std::size_t begin = 0;    // of the first line not yet delivered
  std::size_t scanned = 0;  // no line end before this
  std::size_t size = 0;
  bool skipping = false;  // the rest of a line that is too long

  Unsent waiting;
  std::uint64_t taken = 0;       // bytes, by the other side
  std::size_t lost_lines = 0;    // that nobody can take any more
  std::unique_ptr<loop::HangupWatch> gone;  // null if `out` has no other end, or once that has gone
  std::unique_ptr<loop::HangupWatch> in_closes;  // while paused
  bool file_waits = false;  // `in` is a file, and that it is paused has not been told
  Callback<void()> flushed;
  Callback<void()> tell_gone;
  Callback<void()> tell_closing;
};

LineStream::State::State(loop::Loop& its_loop, int from, int to, LineHandler& tells, std::size_t bytes_max)
    : on(its_loop),
      loop(its_loop.uv()),
      handler(&tells),
      line_bytes_max(bytes_max),
      in(from),
      out(to),
      in_flags(fcntl(from, F_GETFL)),
      out_flags(fcntl(to, F_GETFL)) {
  if (in == out) out = out_copy = fcntl(out, F_DUPFD_CLOEXEC, 0);
  in_pollable = uv_poll_init(loop, &in_poll, in) == 0;
  out_pollable = uv_poll_init(loop, &out_poll, out) == 0;
  COLLET_ASSERT(uv_idle_init(loop, &idle) == 0);
  in_poll.data = out_poll.data = idle.data = file_read.data = this;
  held = 1u + in_pollable + out_pollable;
  gone = loop::HangupWatch::open(on, out, [this] { writing_failed(); });
  make_room();
  start_reading();
}

void LineStream::State::destroy() {
  destroyed = true;
  handler = nullptr;
  flushed = nullptr;
  tell_gone = nullptr;
  tell_closing = nullptr;
  gone.reset();
  in_closes.reset();
  if (in_pollable) close(in_poll);
  if (out_pollable) close(out_poll);
  // The descriptors are shared with the parent process, which did not ask for them to be non-blocking.
  if (in_flags >= 0) fcntl(in, F_SETFL, in_flags);
  if (out_flags >= 0) fcntl(out, F_SETFL, out_flags);
  if (out_copy >= 0) ::close(out_copy);
  close(idle);
}

template <class Handle>
void LineStream::State::close(Handle& handle) {
  uv_close(reinterpret_cast<uv_handle_t*>(&handle),
           [](uv_handle_t* closed) { static_cast<State*>(closed->data)->let_go(); });
}

void LineStream::State::start_reading() {
  if (in_ended || destroyed) return;
  if (!in_pollable) return read_file();
  uv_poll_start(&in_poll, UV_READABLE, [](uv_poll_t* poll, int status, int) {
    auto& state = *static_cast<State*>(poll->data);
    // An error of the descriptor: libuv has stopped the poll. What was sent before is still to be read, and then
    // read() tells the error, unless a write has been told already.
    if (!state.read_ready() && status < 0) return state.reading_failed();
    if (status < 0 && !state.paused) state.start_reading();
  });
}

void LineStream::State::stop_reading() {
  if (in_pollable) uv_poll_stop(&in_poll);
}

// False if there was nothing to read.
bool LineStream::State::read_ready() {
  make_room();
  const ssize_t bytes = ::read(in, input.get() + size, capacity - size);
  if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) return errno == EINTR;
  took(bytes);
  return true;
}

void LineStream::State::read_file() {
  if (file_reading || paused) return;
  make_room();
  file_reading = true;
  ++held;
  const uv_buf_t into = uv_buf_init(input.get() + size, static_cast<unsigned>(capacity - size));
  uv_fs_read(loop, &file_read, in, &into, 1, -1, [](uv_fs_t* request) {
    auto* state = static_cast<State*>(request->data);
    const ssize_t bytes = request->result;
    uv_fs_req_cleanup(request);
    state->file_reading = false;
    if (!state->destroyed) state->took(bytes);
    if (!state->destroyed) state->start_reading();
    state->let_go();
  });
}

// Moves an unfinished line to the front and makes sure that something can be read behind it.
void LineStream::State::make_room() {
  if (begin > 0) {
    std::memmove(input.get(), input.get() + begin, size - begin);
    size -= begin;
    scanned -= begin;
    begin = 0;
  }
  if (size == 0 && capacity > 4 * kReadBytes) capacity = 0;  // a large line has passed
  if (capacity - size >= kReadBytes / 2) return;
  const std::size_t grown = std::max(kReadBytes, size * 2);
  auto larger = std::make_unique_for_overwrite<char[]>(grown);
  if (size > 0) std::memcpy(larger.get(), input.get(), size);
  input = std::move(larger);
  capacity = grown;
}

void LineStream::State::took(ssize_t bytes) {
  if (bytes < 0) return reading_failed();
  if (bytes == 0) {
    in_ended = true;
    stop_reading();
    return deliver_lines();
  }
  size += static_cast<std::size_t>(bytes);
  deliver_lines();
}

// The line that has begun will not become whole.
void LineStream::State::reading_failed() {
  const std::string_view unread(input.get() + begin, size - begin);
  size = begin + unread.rfind('\n') + 1;  // nothing is left if there is no line end
  scanned = std::min(scanned, size);
  took(0);
}

void LineStream::State::deliver_lines() {
  if (delivering) return;
  delivering = true;
  while (handler && !paused) {
    const char* start = input.get() + begin;
    const char* end = static_cast<const char*>(std::memchr(input.get() + scanned, '\n', size - scanned));
    if (!end) {
      scanned = size;
      break;
    }
    begin = scanned = static_cast<std::size_t>(end + 1 - input.get());
    deliver_line({start, static_cast<std::size_t>(end - start)});
  }
  delivering = false;
  if (!handler || paused) return;
  const std::string_view rest(input.get() + begin, size - begin);
  if (in_ended) {
    begin = size;
    deliver_line(rest);
    return end();
  }
  if (!skipping && rest.size() <= line_bytes_max + 1) return;  // one more may be \r
  skipping = true;
  begin = size;
  handler->on_long_line(rest, false);
}

void LineStream::State::deliver_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (std::exchange(skipping, false) || line.size() > line_bytes_max) {
    handler->on_long_line(line, true);
  } else if (!line.empty()) {
    handler->on_line(line);
  }
}

void LineStream::State::end() {
  in_ended = true;
  stop_reading();
  if (handler) std::exchange(handler, nullptr)->on_end();
}

void LineStream::State::write(std::span<const std::string_view> pieces) {
  try {
    if (!write_failed) write_line(pieces);
  } catch (const std::bad_alloc&) {  // of a message of which a part is written the rest cannot be left out
    log::error("out of memory: what the other side has not read is lost");
    writing_failed();
  }
  if (write_failed) ++lost_lines;
}

void LineStream::State::write_line(std::span<const std::string_view> pieces) {
  std::array<iovec, kPiecesMax + 1> vector;
  std::string joined;
  if (pieces.size() > kPiecesMax) {
    for (const std::string_view piece : pieces) joined.append(piece);
  }
  const std::string_view whole = joined;
  if (pieces.size() > kPiecesMax) pieces = {&whole, 1};
  std::size_t count = 0;
  for (const std::string_view piece : pieces) vector[count++] = {const_cast<char*>(piece.data()), piece.size()};
  char line_end = '\n';
  vector[count++] = {&line_end, 1};

  std::size_t sent = waiting.empty() ? write_now({vector.data(), count}) : 0;
  if (write_failed) return;
  for (const iovec& piece : std::span(vector.data(), count)) {
    const std::size_t skipped = std::min(sent, piece.iov_len);
    sent -= skipped;
    waiting.append({static_cast<const char*>(piece.iov_base) + skipped, piece.iov_len - skipped});
  }
  if (!waiting.empty()) wait_to_write();
}

// How many bytes were taken. A file takes them all.
std::size_t LineStream::State::write_now(std::span<const iovec> pieces) {
  for (;;) {
    const ssize_t bytes = ::writev(out, pieces.data(), static_cast<int>(pieces.size()));
    if (bytes >= 0) {
      taken += static_cast<std::uint64_t>(bytes);
      return static_cast<std::size_t>(bytes);
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) writing_failed();
    return 0;
  }
}

void LineStream::State::wait_to_write() {
  if (out_pollable) {
    uv_poll_start(&out_poll, UV_WRITABLE, [](uv_poll_t* poll, int status, int) {
      auto& state = *static_cast<State*>(poll->data);
      status < 0 ? state.writing_failed() : state.write_ready();
    });
  } else {
    defer();
  }
  if (choked() && !paused) pause();
}

void LineStream::State::pause() {
  paused = true;
  stop_reading();
  if (in_ended || destroyed) return;
  if (in_pollable) {
    const auto closed = [this] {
      if (tell_closing) tell_closing();
    };
    in_closes = loop::HangupWatch::open(on, in, closed, true);
  } else {
    file_waits = true;
    defer();
  }
}

void LineStream::State::write_ready() {
  std::array<std::string_view, kPiecesMax> front;
  std::array<iovec, kPiecesMax> vector;
  const std::size_t count = waiting.front(front);
  for (std::size_t i = 0; i < count; ++i) vector[i] = {const_cast<char*>(front[i].data()), front[i].size()};
  const std::size_t sent = write_now({vector.data(), count});
  if (write_failed) return;
  waiting.drop(sent);
  if (waiting.empty()) {
    if (out_pollable) uv_poll_stop(&out_poll);
    if (flushed) defer();
  } else if (!out_pollable) {
    defer();
  }
  if (paused && !choked()) {
    paused = file_waits = false;
    in_closes.reset();
    start_reading();
    deliver_lines();
  }
}

void LineStream::State::writing_failed() {
  if (write_failed) return;
  write_failed = true;
  lost_lines = undelivered();
  waiting.clear();
  gone.reset();
  if (out_pollable) uv_poll_stop(&out_poll);
  defer();
}

std::size_t LineStream::State::undelivered() const {
  std::size_t lines = lost_lines;
  waiting.each([&](std::string_view bytes) { lines += static_cast<std::size_t>(std::ranges::count(bytes, '\n')); });
  return lines;
}

void LineStream::State::defer() {
  uv_idle_start(&idle, [](uv_idle_t* handle) { static_cast<State*>(handle->data)->run_deferred(); });
}

void LineStream::State::run_deferred() {
  uv_idle_stop(&idle);
  if (write_failed) {
    end();
  } else if (!waiting.empty() && !out_pollable) {
    write_ready();
  }
  if (!destroyed && std::exchange(file_waits, false) && tell_closing) tell_closing();
  if (!destroyed && write_failed && tell_gone) std::exchange(tell_gone, nullptr)();
  if (!destroyed && flushed && waiting.empty()) std::exchange(flushed, nullptr)();
}

LineStream::LineStream(loop::Loop& loop, int in, int out, LineHandler& handler, std::size_t line_bytes_max)
    : state_(new State(loop, in, out, handler, line_bytes_max)) {}

LineStream::~LineStream() { state_->destroy(); }

void LineStream::write(std::span<const std::string_view> pieces) { state_->write(pieces); }

std::uint64_t LineStream::taken_bytes() const { return state_->taken; }

std::size_t LineStream::untaken_bytes() const { return state_->waiting.size(); }

std::size_t LineStream::undelivered() const { return state_->undelivered(); }

void LineStream::flush(Callback<void()> done) {
  state_->flushed = std::move(done);
  if (state_->waiting.empty()) state_->defer();
}

void LineStream::when_gone(Callback<void()> gone) {
  state_->tell_gone = std::move(gone);
  if (state_->write_failed) state_->defer();
}

void LineStream::when_closing(Callback<void()> closing) { state_->tell_closing = std::move(closing); }

}  // namespace collet::transport
