#include "loop/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/assert.h"

namespace collet::loop {

StandardStreams take_standard_streams() {
  const StandardStreams real{fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3), fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)};
  COLLET_ASSERT(real.in >= 0 && real.out >= 0);
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  COLLET_ASSERT(nothing >= 0);
  dup2(nothing, STDIN_FILENO);
  close(nothing);
  dup2(STDERR_FILENO, STDOUT_FILENO);
  return real;
}

void fill_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    const int got = open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_RDWR);  // the lowest one that is free
    if (got > STDERR_FILENO) close(got);                                         // another thread was faster
  }
}

}  // namespace collet::loop
