// What a ListenSocket holds: descriptors that listen, for each loop its own.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "transport/http.h"
#include "transport/tls.h"

namespace collet::transport {

// Closes a file descriptor in its destructor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { close(); }

  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }
  explicit operator bool() const { return number_ >= 0; }
  void close();

 private:
  int number_ = -1;
};

struct ListenSocket::State {
  ~State();  // removes the unix socket's file, if it is still ours

  Address address;
  std::shared_ptr<TlsContext> tls;               // null unless https
  std::vector<std::vector<Descriptor>> of_loop;  // one or two for each, which HttpServer::listen() takes
  std::uint64_t device = 0;                      // of the unix socket's file
  std::uint64_t inode = 0;
};

}  // namespace collet::transport
