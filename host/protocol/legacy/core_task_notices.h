// notifications/tasks/status of 2025-11-25 (basic/utilities/tasks).
#pragma once

#include <functional>

#include "protocol/legacy/session.h"
#include "protocol/tasks/task.h"

namespace collet::protocol {

class ServerLoop;

// A function for any thread that tells the session of the task's state.
std::function<void()> announcer(ServerLoop& loop, const TaskPtr& task, const SessionPtr& session);

}  // namespace collet::protocol
