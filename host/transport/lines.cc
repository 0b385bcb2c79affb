#include "transport/lines.h"

#include <fcntl.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <new>
#include <utility>

#include "base/assert.h"
#include "base/descriptor.h"
#include "base/log.h"
#include "loop/hangup_watch.h"
#include "transport/line_buffer.h"
#include "transport/line_writer.h"
#include "transport/polled_descriptor.h"

namespace collet::transport {

// Reads and writes when the descriptors are ready, and stops reading while too much waits to be written. Descriptors that can
// be polled are read and written directly; files and devices that cannot be are read through libuv's thread pool. Lives on
// after its owner until libuv has let go of it.
class LineStream::Core {
 public:
  Core(loop::Loop& loop, int in, int out, LineHandler& handler, std::size_t line_bytes_max);
  void destroy();

  void write(std::span<const std::string_view> pieces);
  const LineWriter& writer() const { return writer_; }
  void flush(Callback<void()> done);
  void when_gone(Callback<void()> gone);
  void when_closing(Callback<void()> closing) { tell_closing_ = std::move(closing); }

 private:
  ~Core() = default;

  // Reading.
  void start_reading();
  void stop_reading();
  bool read_ready();
  void read_file();
  void took(ssize_t bytes);
  void reading_failed();
  void deliver_lines();
  void deliver(const LineBuffer::Line& line);
  void pause();
  void end();

  // Writing.
  void wait_to_write();
  void write_ready();
  void writing_failed();
  bool choked() const { return writer_.waiting_bytes() > limits::kWriteBufferBytesMax; }

  // Later, from the loop.
  void defer();
  void run_deferred();

  static void let_go(uv_handle_t* handle) { static_cast<Core*>(handle->data)->let_go(); }
  void let_go() {
    if (--held_ == 0) delete this;
  }

  loop::Loop& loop_;
  LineHandler* handler_;  // null once ended or destroyed
  Descriptor copy_;       // where in and out are one descriptor, which libuv takes only once
  PolledDescriptor in_;
  PolledDescriptor out_;
  unsigned held_ = 0;  // handles and requests that libuv has
  uv_idle_t idle_;
  uv_fs_t file_read_;
  bool file_reading_ = false;
  bool destroyed_ = false;
  bool delivering_ = false;
  bool paused_ = false;  // until the other side has read enough
  bool in_ended_ = false;
  bool file_waits_ = false;  // `in` is a file, and that it is paused has not been told

  LineBuffer buffer_;
  LineWriter writer_;
  std::unique_ptr<loop::HangupWatch> gone_;       // null if `out` has no other end, or once that has gone
  std::unique_ptr<loop::HangupWatch> in_closes_;  // while paused
  Callback<void()> flushed_;
  Callback<void()> tell_gone_;
  Callback<void()> tell_closing_;
};

LineStream::Core::Core(loop::Loop& loop, int in, int out, LineHandler& handler, std::size_t line_bytes_max)
    : loop_(loop),
      handler_(&handler),
      copy_(in == out ? fcntl(out, F_DUPFD_CLOEXEC, 0) : -1),
      in_(in),
      out_(in == out ? copy_.get() : out),
      buffer_(line_bytes_max),
      writer_(out_.get()) {
  in_.open(loop_.uv(), this);
  out_.open(loop_.uv(), this);
  COLLET_ASSERT(uv_idle_init(loop_.uv(), &idle_) == 0);
  idle_.data = file_read_.data = this;
  held_ = 1u + in_.can_be_polled() + out_.can_be_polled();
  gone_ = loop::HangupWatch::open(loop_, out_.get(), [this] { writing_failed(); });
  start_reading();
}

void LineStream::Core::destroy() {
  destroyed_ = true;
  handler_ = nullptr;
  flushed_ = nullptr;
  tell_gone_ = nullptr;
  tell_closing_ = nullptr;
  gone_.reset();
  in_closes_.reset();
  if (in_.can_be_polled()) in_.close(let_go);
  if (out_.can_be_polled()) out_.close(let_go);
  in_.restore();
  out_.restore();
  copy_.close();
  uv_close(reinterpret_cast<uv_handle_t*>(&idle_), let_go);
}

void LineStream::Core::start_reading() {
  if (in_ended_ || destroyed_) return;
  if (!in_.can_be_polled()) return read_file();
  in_.start(UV_READABLE, [](uv_poll_t* poll, int status, int) {
    auto& core = *static_cast<Core*>(poll->data);
    // An error of the descriptor: libuv has stopped the poll. What was sent before is still to be read, and then
    // read() tells the error, unless a write has been told already.
    if (!core.read_ready() && status < 0) return core.reading_failed();
    if (status < 0 && !core.paused_) core.start_reading();
  });
}

void LineStream::Core::stop_reading() {
  if (in_.can_be_polled()) in_.stop();
}

// False if there was nothing to read.
bool LineStream::Core::read_ready() {
  const std::span<char> space = buffer_.space();
  const ssize_t bytes = ::read(in_.get(), space.data(), space.size());
  if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) return errno == EINTR;
  took(bytes);
  return true;
}

void LineStream::Core::read_file() {
  if (file_reading_ || paused_) return;
  const std::span<char> space = buffer_.space();
  file_reading_ = true;
  ++held_;
  const uv_buf_t into = uv_buf_init(space.data(), static_cast<unsigned>(space.size()));
  uv_fs_read(loop_.uv(), &file_read_, in_.get(), &into, 1, -1, [](uv_fs_t* request) {
    auto* core = static_cast<Core*>(request->data);
    const ssize_t bytes = request->result;
    uv_fs_req_cleanup(request);
    core->file_reading_ = false;
    if (!core->destroyed_) core->took(bytes);
    if (!core->destroyed_) core->start_reading();
    core->let_go();
  });
}

void LineStream::Core::took(ssize_t bytes) {
  if (bytes < 0) return reading_failed();
  if (bytes == 0) {
    in_ended_ = true;
    stop_reading();
    return deliver_lines();
  }
  buffer_.add(static_cast<std::size_t>(bytes));
  deliver_lines();
}

// The line that has begun will not become whole.
void LineStream::Core::reading_failed() {
  buffer_.drop_rest();
  took(0);
}

void LineStream::Core::deliver_lines() {
  if (delivering_) return;
  delivering_ = true;
  while (handler_ && !paused_) {
    const auto line = buffer_.next();
    if (!line) break;
    deliver(*line);
  }
  delivering_ = false;
  if (!handler_ || paused_) return;
  if (in_ended_) {
    if (const auto last = buffer_.rest()) deliver(*last);
    return end();
  }
  if (const auto piece = buffer_.piece()) handler_->on_long_line(*piece, false);
}

void LineStream::Core::deliver(const LineBuffer::Line& line) {
  if (line.too_long) {
    handler_->on_long_line(line.text, true);
  } else {
    handler_->on_line(line.text);
  }
}

void LineStream::Core::pause() {
  paused_ = true;
  stop_reading();
  if (in_ended_ || destroyed_) return;
  if (in_.can_be_polled()) {
    const auto closed = [this] {
      if (tell_closing_) tell_closing_();
    };
    in_closes_ = loop::HangupWatch::open(loop_, in_.get(), closed, true);
  } else {
    file_waits_ = true;
    defer();
  }
}

void LineStream::Core::end() {
  in_ended_ = true;
  stop_reading();
  if (handler_) std::exchange(handler_, nullptr)->on_end();
}

void LineStream::Core::write(std::span<const std::string_view> pieces) {
  try {
    if (!writer_.has_given_up()) {
      if (!writer_.write(pieces)) writing_failed();
      if (writer_.waits()) wait_to_write();
    }
  } catch (const std::bad_alloc&) {
    log::error("out of memory: what the other side has not read is lost");
    writing_failed();
  }
  if (writer_.has_given_up()) writer_.lose_line();
}

void LineStream::Core::wait_to_write() {
  if (out_.can_be_polled()) {
    out_.start(UV_WRITABLE, [](uv_poll_t* poll, int status, int) {
      auto& core = *static_cast<Core*>(poll->data);
      status < 0 ? core.writing_failed() : core.write_ready();
    });
  } else {
    defer();
  }
  if (choked() && !paused_) pause();
}

void LineStream::Core::write_ready() {
  if (!writer_.write_waiting()) return writing_failed();
  if (!writer_.waits()) {
    if (out_.can_be_polled()) out_.stop();
    if (flushed_) defer();
  } else if (!out_.can_be_polled()) {
    defer();
  }
  if (paused_ && !choked()) {
    paused_ = file_waits_ = false;
    in_closes_.reset();
    start_reading();
    deliver_lines();
  }
}

void LineStream::Core::writing_failed() {
  if (writer_.has_given_up()) return;
  writer_.give_up();
  gone_.reset();
  if (out_.can_be_polled()) out_.stop();
  defer();
}

void LineStream::Core::flush(Callback<void()> done) {
  flushed_ = std::move(done);
  if (!writer_.waits()) defer();
}

void LineStream::Core::when_gone(Callback<void()> gone) {
  tell_gone_ = std::move(gone);
  if (writer_.has_given_up()) defer();
}

void LineStream::Core::defer() {
  uv_idle_start(&idle_, [](uv_idle_t* handle) { static_cast<Core*>(handle->data)->run_deferred(); });
}

void LineStream::Core::run_deferred() {
  uv_idle_stop(&idle_);
  if (writer_.has_given_up()) {
    end();
  } else if (writer_.waits() && !out_.can_be_polled()) {
    write_ready();
  }
  if (!destroyed_ && std::exchange(file_waits_, false) && tell_closing_) tell_closing_();
  if (!destroyed_ && writer_.has_given_up() && tell_gone_) std::exchange(tell_gone_, nullptr)();
  if (!destroyed_ && flushed_ && !writer_.waits()) std::exchange(flushed_, nullptr)();
}

LineStream::LineStream(loop::Loop& loop, int in, int out, LineHandler& handler, std::size_t line_bytes_max)
    : core_(new Core(loop, in, out, handler, line_bytes_max)) {}

LineStream::~LineStream() { core_->destroy(); }

void LineStream::write(std::span<const std::string_view> pieces) { core_->write(pieces); }

std::uint64_t LineStream::taken_bytes() const { return core_->writer().taken_bytes(); }

std::size_t LineStream::untaken_bytes() const { return core_->writer().waiting_bytes(); }

std::size_t LineStream::undelivered() const { return core_->writer().undelivered(); }

void LineStream::flush(Callback<void()> done) { core_->flush(std::move(done)); }

void LineStream::when_gone(Callback<void()> gone) { core_->when_gone(std::move(gone)); }

void LineStream::when_closing(Callback<void()> closing) { core_->when_closing(std::move(closing)); }

}  // namespace collet::transport
