#include "transport/client_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace collet::transport {

bool ClientSocket::open(uv_loop_t* loop, int descriptor, bool local, Owner& owner) {
  if (local) {
    uv_pipe_init(loop, &handle_.pipe, 0);
  } else {
    uv_tcp_init(loop, &handle_.tcp);
  }
  stream()->data = &owner;
  if ((local ? uv_pipe_open(&handle_.pipe, descriptor) : uv_tcp_open(&handle_.tcp, descriptor)) != 0) {
    ::close(descriptor);
    return false;
  }
  if (!local) uv_tcp_nodelay(&handle_.tcp, 1);
  return true;
}

void ClientSocket::shut_down() {
  if (const int open = descriptor(); open >= 0) ::shutdown(open, SHUT_WR);
}

void ClientSocket::close(bool resets) {
  const auto closed = [](uv_handle_t* handle) { static_cast<Owner*>(handle->data)->on_closed(); };
  if (resets && handle()->type == UV_TCP && uv_tcp_close_reset(&handle_.tcp, closed) == 0) return;
  uv_close(handle(), closed);
}

int ClientSocket::descriptor() const {
  uv_os_fd_t descriptor;
  return uv_fileno(handle(), &descriptor) == 0 ? descriptor : -1;
}

Descriptor ClientSocket::duplicate() const {
  const int open = descriptor();
  return Descriptor(open < 0 ? -1 : fcntl(open, F_DUPFD_CLOEXEC, 0));
}

}  // namespace collet::transport
