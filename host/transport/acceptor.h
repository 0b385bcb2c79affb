// Accepts from listening sockets. When descriptors run out it turns clients away rather than leave them in the
// queue, where each would wake the loop without end. Loop thread.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/callback.h"
#include "base/descriptor.h"
#include "loop/loop.h"
#include "transport/listen_socket.h"

namespace collet::transport {

class Acceptor {
 public:
  explicit Acceptor(loop::Loop& loop) : loop_(loop), pause_(loop) {}
  ~Acceptor() { stop(); }
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // Takes over a connected socket, which does not block; or returns false if there is no room for it.
  using Take = Callback<bool(int connected, const sockaddr_storage& from)>;
  void listen(Descriptor descriptor, Take take);
  void stop();
  // How many have been turned away.
  std::uint64_t refused() const { return refused_; }

 private:
  struct Listener;

  void accept_some(Listener& listener);
  bool shed(int listening);
  void pause();
  void count_refusal(std::string_view why);
  static Descriptor open_spare();

  loop::Loop& loop_;
  std::vector<Listener*> listeners_;  // owned; freed by libuv's close callback
  Descriptor spare_ = open_spare();   // given up for a moment when descriptors run out
  loop::Timer pause_;
  std::uint64_t refused_ = 0;
  std::uint64_t refused_logged_ = 0;
  std::uint64_t log_again_ms_ = 0;
};

}  // namespace collet::transport
