#include "protocol/legacy/core_task_notices.h"

#include "protocol/server_loop.h"

namespace collet::protocol {

std::function<void()> announcer(ServerLoop& loop, const TaskPtr& task, const SessionPtr& session) {
  return [&loop, weak = std::weak_ptr<Task>(task), session] {
    loop.loop().post([&loop, weak, session] {
      const TaskPtr changed = weak.lock();
      if (!changed) return;
      loop.clients().tell(*session, R"({"jsonrpc":"2.0","method":"notifications/tasks/status","params":{)" +
                                        changed->describe() + "}}");
    });
  };
}

}  // namespace collet::protocol
