#include "worker/child/reach.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <cstring>
#include <fstream>

#include "base/limits.h"
#include "base/result.h"
#include "base/text.h"

namespace collet::worker {

std::optional<std::string> in_words(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN];
  if (address.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address, sizeof v4);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    return fmt::format("{}:{}", text, ntohs(v4.sin_port));
  }
  if (address.ss_family != AF_INET6) return std::nullopt;
  sockaddr_in6 v6;
  std::memcpy(&v6, &address, sizeof v6);
  inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
  return fmt::format("[{}]:{}", text, ntohs(v6.sin6_port));
}

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
