// What goes to and fro over a connected, non-blocking socket: as it is, or under TLS. Of one thread; it never waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace collet::client {

class ByteStream {
 public:
  enum class Outcome : std::uint8_t {
    done,
    waits,   // for the socket to be readable or, if wants_room(), writable; to be called again then, as it was
    ended,   // the peer has said that nothing more comes
    broken,  // why() says how
  };
  struct Moved {
    Outcome outcome;
    std::size_t bytes = 0;
  };
  // The least room that read() may have: whatever has come of one record is taken out at once, so that nothing is left
  // which a poll of the socket does not see.
  static constexpr std::size_t kRecordBytes = 16u << 10;

  virtual ~ByteStream() = default;

  // Before anything is read or written, until it is done.
  virtual Outcome open() = 0;
  // Not done: how much of it was taken nevertheless. What is broken for writing can still be read to its end.
  virtual Moved write(std::string_view bytes) = 0;
  virtual Moved read(char* to, std::size_t size) = 0;
  // Tells the peer that nothing more comes, if that can be said at once. The socket is left to whoever owns it.
  virtual void close() = 0;
  // Whether open(), write() or read() waits for room in the socket.
  virtual bool wants_room() const = 0;
  virtual const std::string& why() const = 0;
  // How many bytes the socket has taken, of whatever kind.
  virtual std::size_t sent() const = 0;
};

}  // namespace collet::client
