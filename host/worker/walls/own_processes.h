// A namespace of processes in which there is a worker, what it starts, and nothing else.
#pragma once

namespace collet::worker {

// Who stands beside a worker: the process that waits for it, and the first one of its namespace.
inline constexpr unsigned kProcessesBeside = 2;

// Once unshare() has made it: goes on in a child. The calling process waits for that, sees to it that all of the
// namespace has ended, and then ends as the child did. If the calling process is killed, so are they all. It ends at once
// if there can be no child.
void live_alone();

}  // namespace collet::worker
