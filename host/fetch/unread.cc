#include "fetch/unread.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>

namespace collet::fetch {
namespace {

// Linux says EPIPE of a connection that was reset after its end had come, and ECONNRESET of any other.
bool end_has_come(int socket) {
  tcp_info info = {};
  socklen_t size = sizeof info;
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return false;
  if (info.tcpi_state == TCP_CLOSE_WAIT) return true;
  int problem = 0;
  size = sizeof problem;
  return info.tcpi_state == TCP_CLOSE && getsockopt(socket, SOL_SOCKET, SO_ERROR, &problem, &size) == 0 &&
         problem == EPIPE;
}

}  // namespace

// Under TLS more bytes were written than the request has: the few of them that may be acknowledged then are fewer
// than make its first record readable.
bool ended_unread(int socket, std::size_t sent) {
  int unacknowledged = 0;
  return ioctl(socket, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged >= 0 &&
         static_cast<std::size_t>(unacknowledged) >= sent && end_has_come(socket);
}

}  // namespace collet::fetch
