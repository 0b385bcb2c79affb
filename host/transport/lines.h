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
  // A piece of a line that is longer than the limit: its beginning once that is known, then what follows, and the
  // `last` piece up to its end. No more than one piece is kept at a time.
  virtual void on_long_line(std::string_view piece, bool last) = 0;
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

  // Bytes that the other side has taken since the beginning.
  std::uint64_t taken_bytes() const;
  // Bytes that wait for it.
  std::size_t untaken_bytes() const;
  // Lines that it has not taken whole.
  std::size_t undelivered() const;

  // Calls `done` when everything written so far has been taken, or the other side is gone: later, from the loop.
  // One at a time.
  void flush(Callback<void()> done);
  // Calls `gone`, from the loop, when nobody reads any more, also after on_end(). One at a time.
  void when_gone(Callback<void()> gone);
  // Calls `closing`, from the loop, each time that no line is read since too much waits, and nothing will follow what
  // has been sent: the other side has closed its end of `in`, or `in` is a file.
  void when_closing(Callback<void()> closing);

 private:
  class Core;
  Core* core_;  // deletes itself when libuv has let go of it
};

}  // namespace collet::transport
