// Whether a request that was lost with its connection may have been read.
#pragma once

#include <cstddef>

namespace collet::fetch {

// Of a TCP connection that the peer has ended: whether it did so before it knew of any of the `sent` bytes that
// were written last. A reset alone proves nothing, as a peer may read a request and reset the connection then; nor
// does silence. What proves it is an end of the peer's side that acknowledges none of those bytes. To be asked
// once, since the socket's error is taken from it.
bool ended_unread(int socket, std::size_t sent);

}  // namespace collet::fetch
