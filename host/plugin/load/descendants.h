// What a process has started, what that has started, and so on: it ends with the process, even what has made a session
// of its own and lost its parents. For processes of ours with one thread.
#pragma once

#include <sys/types.h>

namespace collet::plugin {

// From now on descendants that lose their parent become children of this process.
void adopt_orphans();
// Takes note of the end of children, and leaves `child`: its number stays its own. True if that has ended.
bool reap_all_but(pid_t child);
// Kills all descendants and waits until there are none, or none that may be killed. Needs /proc for those that are not in
// the process group of `child`. Returns the status of `child`, as of waitpid(); that of a kill if it may not be killed.
int end_descendants(pid_t child = 0);

// Ends this process as the one with this status, as of waitpid(), has ended.
[[noreturn]] void end_as(int status);

}  // namespace collet::plugin
