// The stdin of a child: its own thread writes there, and any other may send a whole line as long as none waits.
#pragma once

#include <mutex>
#include <string>
#include <utility>

#include "client/net/loop.h"

namespace collet::client {

class ChildInput {
 public:
  // [any thread] `cut` is called when a line could not be sent whole: what is left of it waits for hold().
  ChildInput(int socket, Task cut) : cut_(std::move(cut)), socket_(socket) {}
  ChildInput(const ChildInput&) = delete;
  ChildInput& operator=(const ChildInput&) = delete;

  // [any thread] Lines with their ends; false: nothing of them was sent, since others wait, there is no room, or it is closed.
  bool send(std::string lines);

  // [the child's thread, as below] Has `write` write while nobody else does: first what it is given, the rest of a line, if that
  // is not empty. It returns whether anything waits now, for which others have to wait.
  template <class Write>
  void hold(Write&& write) {
    const std::lock_guard lock(mutex_);
    waits_ = write(std::exchange(rest_, {}));
  }
  // The socket is not used any more.
  void close();

 private:
  const Task cut_;
  std::mutex mutex_;  // guards all below
  int socket_;        // -1: closed
  bool waits_ = false;
  std::string rest_;
};

}  // namespace collet::client
