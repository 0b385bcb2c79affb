// Whether a request that was lost with its connection may have been read. Linux.
//
// Threads: any. Errors: what cannot be found out is not proven.
#ifndef COLLET_KIT_UNREAD_HPP
#define COLLET_KIT_UNREAD_HPP

#include <cerrno>
#include <cstddef>

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace collet::kit {
namespace detail {

// Linux says EPIPE of a connection that was reset after its end had come, and ECONNRESET of any other.
inline bool end_has_come(int socket) {
  tcp_info info = {};
  socklen_t size = sizeof info;
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return false;
  if (info.tcpi_state == TCP_CLOSE_WAIT) return true;
  int problem = 0;
  size = sizeof problem;
  return info.tcpi_state == TCP_CLOSE && getsockopt(socket, SOL_SOCKET, SO_ERROR, &problem, &size) == 0 &&
         problem == EPIPE;
}

}  // namespace detail

// Of a TCP connection that the peer has ended: whether it did so before it knew of any of the `sent` bytes that
// were written last. A reset alone proves nothing, as a peer may read a request and reset the connection then; nor
// does silence. What proves it is an end of the peer's side that acknowledges none of those bytes. To be asked
// once, since the socket's error is taken from it.
inline bool ended_unread(int socket, std::size_t sent) {
  // Under TLS more bytes were written than the request has: the few of them that may be acknowledged then are fewer
  // than make its first record readable.
  int unacknowledged = 0;
  return ioctl(socket, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged >= 0 &&
         static_cast<std::size_t>(unacknowledged) >= sent && detail::end_has_come(socket);
}

}  // namespace collet::kit

#endif
