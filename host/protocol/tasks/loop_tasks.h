// The tasks that requests of one loop are about: in this process, or, where there is one, in a store.
#pragma once

#include <vector>

#include "base/callback.h"
#include "base/result.h"
#include "loop/loop.h"
#include "protocol/request.h"
#include "protocol/tasks/task.h"
#include "protocol/waiting_requests.h"

namespace collet::protocol {

class Server;

// Loop thread.
class LoopTasks {
 public:
  // All outlive it.
  LoopTasks(Server& server, loop::Loop& loop, WaitingRequests& waiting)
      : server_(server), loop_(loop), waiting_(waiting) {}

  // True: the request is about tasks that may be in the store, and has been taken to wait for them. When they are here it is
  // given to `then`, unless it has been answered meanwhile. False: it is still the caller's.
  bool fetch_for(RequestPtr& request, Callback<void(RequestPtr)> then);

 private:
  void go_on(WaitingRequests::Serial serial, Result<std::vector<Task::Record>> tasks, Callback<void(RequestPtr)>& then);

  Server& server_;
  loop::Loop& loop_;
  WaitingRequests& waiting_;
};

}  // namespace collet::protocol
