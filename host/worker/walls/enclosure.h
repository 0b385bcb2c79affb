// The walls around a process that has all that it needs, and only computes from now on.
#pragma once

namespace collet::worker {

// It opens nothing, connects nowhere and starts no process from now on, as far as this system can enforce it.
void enclose();

}  // namespace collet::worker
