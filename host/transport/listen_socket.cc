#include "transport/listen_socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace collet::transport {
namespace {

constexpr int kBacklog = 4'096;  // the kernel lowers it to net.core.somaxconn
constexpr int kPortTries = 16;   // for a port that is free in both families

union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
  sockaddr_storage storage;
};

struct Endpoint {
  SocketAddress address;
  socklen_t bytes;
};

Error cannot_listen(const Address& address, std::string_view why) {
  return error("cannot listen on {}: {}", address.url(), why);
}

std::string explain(int number) {
  switch (number) {
    case EADDRINUSE:
      return "the port is already in use; stop the other server or choose another port";
    case EACCES:
      return "permission denied; ports below 1024 need privileges";
    case EADDRNOTAVAIL:
      return "this machine has no such address";
    default:
      return std::strerror(number);
  }
}

void set_port(Endpoint& endpoint, std::uint16_t port) {
  if (endpoint.address.any.sa_family == AF_INET6) {
    endpoint.address.v6.sin6_port = htons(port);
  } else {
    endpoint.address.v4.sin_port = htons(port);
  }
}

std::uint16_t port_of(int descriptor) {
  SocketAddress address{};
  socklen_t bytes = sizeof(address);
  getsockname(descriptor, &address.any, &bytes);
  return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

// A descriptor that is bound but does not listen yet; or errno.
int bind_one(const Endpoint& endpoint, bool share, Descriptor& bound) {
  const int family = endpoint.address.any.sa_family;
  bound = Descriptor(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!bound) return errno;
  const int on = 1;
  setsockopt(bound.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (share) setsockopt(bound.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  if (family == AF_INET6) setsockopt(bound.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  return bind(bound.get(), &endpoint.address.any, endpoint.bytes) == 0 ? 0 : errno;
}

// Adds a listening descriptor for each loop; port 0 becomes the real one.
int listen_on(Endpoint endpoint, std::uint16_t& port, std::vector<std::vector<Descriptor>>& of_loop) {
  {
    // SO_REUSEPORT would let us join another server on its port without a word, so a first socket asks without it.
    Descriptor probe;
    set_port(endpoint, port);
    if (const int failure = bind_one(endpoint, false, probe)) return failure;
    port = port_of(probe.get());
    set_port(endpoint, port);
  }
  for (std::vector<Descriptor>& descriptors : of_loop) {
    Descriptor bound;
    if (const int failure = bind_one(endpoint, true, bound)) return failure;
    if (listen(bound.get(), kBacklog) != 0) return errno;
    descriptors.push_back(std::move(bound));
  }
  return 0;
}

Result<Endpoint> resolve(const Address& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int failure = getaddrinfo(address.host.c_str(), nullptr, &hints, &found);
  if (failure != 0) return cannot_listen(address, gai_strerror(failure));
  Endpoint endpoint{{}, found->ai_addrlen};
  std::memcpy(&endpoint.address, found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  return endpoint;
}

Endpoint loopback_v4() {
  Endpoint v4{{}, sizeof(sockaddr_in)};
  v4.address.v4.sin_family = AF_INET;
  v4.address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return v4;
}

Endpoint loopback_v6() {
  Endpoint v6{{}, sizeof(sockaddr_in6)};
  v6.address.v6.sin6_family = AF_INET6;
  v6.address.v6.sin6_addr = in6addr_loopback;
  return v6;
}

Result<void> bind_tcp(ListenSocket::Bound& into, unsigned loops) {
  const bool both = into.address.host == "localhost";
  Endpoint first = loopback_v4();
  if (!both) {
    Result<Endpoint> resolved = resolve(into.address);
    if (!resolved) return resolved.failure();
    first = *resolved;
  }
  int failure = 0;
  const std::uint16_t wanted = into.address.port;
  // A port chosen by the kernel may be taken by another process before we have bound it everywhere.
  for (int tries = wanted == 0 ? kPortTries : 1; tries > 0; --tries) {
    std::uint16_t port = wanted;
    into.of_loop.clear();
    into.of_loop.resize(loops);
    failure = listen_on(first, port, into.of_loop);
    if (failure == 0 && both) {
      failure = listen_on(loopback_v6(), port, into.of_loop);
      if (failure == EADDRNOTAVAIL || failure == EAFNOSUPPORT) failure = 0;  // a machine without IPv6
    }
    if (failure == 0) {
      into.address.port = port;
      return {};
    }
    if (failure != EADDRINUSE) break;
  }
  return cannot_listen(into.address, explain(failure));
}

// Whether a server answers there. A file that a dead one has left refuses.
bool is_live(const sockaddr_un& path) {
  const Descriptor probe(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  return connect(probe.get(), reinterpret_cast<const sockaddr*>(&path), sizeof(path)) == 0 || errno != ECONNREFUSED;
}

Result<void> bind_unix(ListenSocket::Bound& into, unsigned loops) {
  const std::string& file = into.address.host;
  sockaddr_un path{};
  path.sun_family = AF_UNIX;
  if (file.size() >= sizeof(path.sun_path))
    return cannot_listen(into.address, fmt::format("the path is longer than {} bytes", sizeof(path.sun_path) - 1));
  std::memcpy(path.sun_path, file.data(), file.size());

  struct stat there;
  if (lstat(file.c_str(), &there) == 0) {
    if (!S_ISSOCK(there.st_mode)) return cannot_listen(into.address, "a file that is no socket is in the way");
    if (is_live(path)) return cannot_listen(into.address, "another server listens there");
    if (unlink(file.c_str()) != 0)
      return cannot_listen(into.address, fmt::format("cannot remove the stale socket: {}", std::strerror(errno)));
  }
  Descriptor bound(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  // Linux gives the file the mode that the descriptor has when it is bound: at no time may others connect.
  if (!bound || fchmod(bound.get(), 0600) != 0 ||
      bind(bound.get(), reinterpret_cast<const sockaddr*>(&path), sizeof(path)) != 0 ||
      chmod(file.c_str(), 0600) != 0 || lstat(file.c_str(), &there) != 0 || listen(bound.get(), kBacklog) != 0)
    return cannot_listen(into.address, std::strerror(errno));
  into.device = there.st_dev;
  into.inode = there.st_ino;
  for (unsigned i = 0; i < loops; ++i) {
    Descriptor own(fcntl(bound.get(), F_DUPFD_CLOEXEC, 0));
    if (!own) return cannot_listen(into.address, std::strerror(errno));
    into.of_loop.emplace_back().push_back(std::move(own));
  }
  return {};
}

}  // namespace

ListenSocket::Bound::~Bound() {
  struct stat there;
  if (inode != 0 && lstat(address.host.c_str(), &there) == 0 && there.st_dev == device && there.st_ino == inode)
    unlink(address.host.c_str());
}

Result<std::unique_ptr<ListenSocket>> ListenSocket::bind(const Address& address, unsigned loops,
                                                         std::shared_ptr<TlsContext> tls) {
  auto made = std::make_unique<Bound>();
  made->address = address;
  if (address.scheme == Address::Scheme::https) {
    if (!tls) return cannot_listen(address, "a TLS certificate and key are needed");
    made->tls = std::move(tls);
  }
  const bool is_unix = address.scheme == Address::Scheme::unix_socket;
  const Result<void> bound = is_unix ? bind_unix(*made, loops) : bind_tcp(*made, loops);
  if (!bound) return bound.failure();
  return std::unique_ptr<ListenSocket>(new ListenSocket(std::move(made)));
}

ListenSocket::ListenSocket(std::unique_ptr<Bound> bound) : bound_(std::move(bound)) {}
ListenSocket::~ListenSocket() = default;
const Address& ListenSocket::address() const { return bound_->address; }

}  // namespace collet::transport
