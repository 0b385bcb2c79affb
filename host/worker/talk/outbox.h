// What a worker has to say, on its way to the host.
#pragma once

#include <mutex>
#include <string>

#include "base/unsent.h"
#include "loop/loop.h"

namespace collet::worker {

// Any thread. Frames are sent in the order in which they were put in.
class Outbox {
 public:
  // The socket is borrowed.
  Outbox(int socket, loop::Loop& loop) : socket_(socket), loop_(loop) {}

  // `write(std::string& out)` appends frames; they are sent by flush(), or by the loop when it has a moment.
  template <class Write>
  void put(Write&& write) {
    const std::lock_guard lock(mutex_);
    write(frames_);
    take_frames();
    if (flush_comes_) return;
    flush_comes_ = true;
    loop_.post([this] { flush(); });
  }
  // Until resume() nothing is sent: what is put in goes out in one piece.
  void hold();
  void resume();
  // Sends all that is there; waits until the host takes it. Without a host the process ends.
  void flush();

 private:
  void take_frames();
  void send_all();

  const int socket_;
  loop::Loop& loop_;
  std::mutex mutex_;  // guards all below; held while sending
  std::string frames_;  // being written
  Unsent bytes_;
  bool flush_comes_ = false;
};

}  // namespace collet::worker
