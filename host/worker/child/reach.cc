#include "worker/child/reach.h"

#include <netdb.h>

#include <cstring>
#include <fstream>

#include "base/address.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/text.h"

namespace collet::worker {

bool Reach::contains(const sockaddr_storage& address) {
  const auto words = in_words(address);
  if (!words || hosts_.empty()) return false;
  if (addresses_.contains(*words)) return true;
  const auto now = std::chrono::steady_clock::now();
  if (known_ && now < looked_up_ + std::chrono::milliseconds(limits::kWorkerLookUpMs)) return false;
  look_up();
  known_ = true;
  looked_up_ = std::chrono::steady_clock::now();
  return addresses_.contains(*words);
}

// Addresses that a name had before stay: a plugin may have looked it up then.
void Reach::look_up() {
  if (addresses_.size() > limits::kWorkerAddressesMax) addresses_.clear();
  const auto add = [this](const std::string& name, const std::string& port) {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (getaddrinfo(name.c_str(), port.c_str(), &wanted, &found) != 0) return;
    for (const addrinfo* each = found; each; each = each->ai_next) {
      sockaddr_storage address{};
      std::memcpy(&address, each->ai_addr, std::min<std::size_t>(each->ai_addrlen, sizeof address));
      if (const auto words = in_words(address)) addresses_.insert(*words);
    }
    freeaddrinfo(found);
  };
  for (const std::string& host : hosts_) {
    if (const auto parts = text::split_host_and_port(host)) add(parts->host, std::to_string(parts->port));
  }
  constexpr const char* kNamePort = "53";
  add("127.0.0.1", kNamePort);  // what the C library asks if nothing is said
  std::ifstream file("/etc/resolv.conf");
  for (std::string word; file >> word;) {
    std::string server;
    if (word == "nameserver" && file >> server) add(server, kNamePort);
  }
}

}  // namespace collet::worker
