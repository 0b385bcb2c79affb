// Messages as lines on a pair of descriptors: the stdio transport. Knows nothing of what the lines say.
//
// Threads: belongs to the thread of its loop. A handler may destroy the stream from any of its functions.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "base/callback.h"
#include "base/limits.h"
#include "loop/loop.h"

namespace collet::transport {

class LineHandler {
 public:
  // A line without its end (\n, \r\n or the end of the stream), never empty. Borrowed until this returns, or until
  // the stream is destroyed.
  virtual void on_line(std::string_view line) = 0;
  // A line is longer than the limit and is being skipped.
  virtual void on_line_too_long() = 0;
  // The other side has closed its end, or reading or writing failed. Nothing more is called. What is written after
  // the end of `in` is still sent.
  virtual void on_end() = 0;

 protected:
  ~LineHandler() = default;
};

class LineStream {
 public:
  // Pipes, sockets, terminals and regular files will do; they may be the same. The descriptors are not closed;
  // while the stream lives they may be non-blocking, afterwards they are as before.
  LineStream(loop::Loop& loop, int in, int out, LineHandler& handler,
             std::size_t line_bytes_max = limits::kMessageBytesMax);
  ~LineStream();

  // Sends the pieces and a line end in one write where the pipe takes it; what it does not take at once waits.
  // While more than kWriteBufferBytesMax wait, no further line is read.
  void write(std::span<const std::string_view> pieces);

  // Calls `done` when everything written so far has been taken, or the other side is gone: later, from the loop.
  // One at a time.
  void flush(Callback<void()> done);

 private:
  struct State;
  State* state_;
};

}  // namespace collet::transport
