// What a process has started, what that has started, and so on: it ends with the process, even what has made a session
// of its own and lost its parents. For processes of ours with one thread.
#pragma once

#include <sys/types.h>

#include <optional>

namespace collet::plugin {

// From now on descendants that lose their parent become children of this process.
void adopt_orphans();
// Waits for all children that have ended, for none that has not. The status of `child`, as of waitpid(), if it is one.
std::optional<int> reap(pid_t child);
// Kills all descendants and waits until there are none, or none that may be killed. Needs /proc. As reap().
std::optional<int> end_descendants(pid_t child = 0);

// Ends this process as the one with this status, as of waitpid(), has ended.
[[noreturn]] void end_as(int status);

}  // namespace collet::plugin
