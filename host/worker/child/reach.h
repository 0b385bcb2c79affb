// Where a worker may connect to.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace collet::worker {

// One thread's.
class Reach {
 public:
  // Each as text::split_host_and_port() takes it. With any, the name servers of this system can be reached, too.
  explicit Reach(std::vector<std::string> hosts) : hosts_(std::move(hosts)) {}

  // Whether it is an address of one of them. If it is not, and their names were looked up some time ago, they are
  // looked up again, which takes its time.
  bool contains(const sockaddr_storage& address);

 private:
  void look_up();

  const std::vector<std::string> hosts_;
  std::set<std::string> addresses_;  // in words
  std::chrono::steady_clock::time_point looked_up_;
  bool known_ = false;
};

}  // namespace collet::worker
