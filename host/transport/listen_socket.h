// What a ListenSocket holds: descriptors that listen, for each loop its own.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/descriptor.h"
#include "transport/http.h"
#include "transport/tls.h"

namespace collet::transport {

struct ListenSocket::Bound {
  ~Bound();  // removes the unix socket's file, if it is still ours

  Address address;
  std::shared_ptr<TlsContext> tls;               // null unless https
  std::vector<std::vector<Descriptor>> of_loop;  // one or two for each, which HttpServer::listen() takes
  std::uint64_t device = 0;                      // of the unix socket's file
  std::uint64_t inode = 0;
};

}  // namespace collet::transport
