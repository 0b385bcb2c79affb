// The rights of root (capabilities), and users.
#pragma once

#include <sys/types.h>

#include <string>

namespace collet::worker {

// Of the calling process: whatever it runs gets none, and becomes no one who has some.
void lock_rights();
// The calling process's user and group are this from now on, and it is in no other group. False, with errno, if not.
bool become(uid_t user);
// Root's rights, or those over its namespaces. Who is root still may still open files of others. Returns what cannot be
// taken away, or empty.
std::string drop_rights();

}  // namespace collet::worker
