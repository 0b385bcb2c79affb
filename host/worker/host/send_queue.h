// Frames on their way to a worker process: what its socket does not take at once waits, within a limit.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/unsent.h"

namespace collet::worker {

// Whoever has it sees to it that one thread at a time uses it.
class SendQueue {
 public:
  enum class Sent : std::uint8_t {
    yes,
    no_room,        // too much waits already; nothing of it is sent
    out_of_memory,  // a part may have been sent, and the rest cannot be: nothing sound can follow
  };

  // To another process from now on. The socket is borrowed until end().
  void begin(int socket) { socket_ = socket; }
  // What still waits is sent to nobody.
  void end();
  bool is_open() const { return socket_ >= 0; }

  // The part that is not sent at once waits for flush(). Only while it is open.
  Sent send(std::string_view frames);
  // Sends nothing before flush(), or send().
  Sent hold(std::string_view frames);
  // Of what is held and what waits.
  std::size_t size() const { return unsent_.size(); }
  // Whether something waits: flush() is to be called when the socket takes more.
  bool waits() const { return waits_; }
  void flush();

 private:
  int socket_ = -1;
  Unsent unsent_;
  bool waits_ = false;  // the socket has not taken all
};

}  // namespace collet::worker
