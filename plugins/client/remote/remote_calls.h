// The calls of one remote that are under way on the client's thread: found by whatever names them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "client/remote/proxy_call.h"

namespace collet::client {

class RemoteCalls {
 public:
  // `ended` is called whenever one has ended.
  RemoteCalls(Loop& loop, std::function<void()> ended) : ended_(std::move(ended)), sweep_(loop) {}

  // Null: there are too many.
  ProxyCall* add(ProxyCall::Owner& remote, IncomingCall call, RemoteItemPtr item);
  std::size_t size() const { return calls_.size(); }
  // It has ended, and goes with the next turn of the loop, since it may be running.
  void over(ProxyCall& call);
  // All go now.
  void clear();

  // Whether the host's call comes back to one that is suspended; it goes on then.
  bool resume(IncomingCall& call);
  // False: the host's call is none of these.
  bool cancel(collet_call call, const char* reason);
  void cancel_all(const char* reason);

  // Calls that wait for a connection: they begin, or there is none.
  void wait(ProxyCall& call) { waiting_.push_back(&call); }
  void begin_waiting();
  void fail_waiting(const std::string& why);

  // Gives the call a token to be found by; false if there are too many.
  bool keep_suspended(ProxyCall& call, std::string& token);

  // Of what came outside of any response stream. Null: it can belong to several, or to none.
  // A question's: the call whose task it names, or the one call under way, or the newest if all are of the same
  // principal, so that nobody is asked for another's sake.
  ProxyCall* whose_question(const Message& message) const;
  // That of its token, which stays good when the call has become a task.
  ProxyCall* whose_progress(const Message& message) const;
  // A log message's: the call that alone can have caused it, or the newest if all are of one session, whose client
  // hears it in any case. `if_wanted`: the remote logs for those alone that have asked for it.
  ProxyCall* whose_log(bool if_wanted) const;

 private:
  const std::function<void()> ended_;
  std::unordered_map<ProxyCall*, std::unique_ptr<ProxyCall>> calls_;
  std::vector<std::unique_ptr<ProxyCall>> over_;
  std::vector<ProxyCall*> waiting_;
  std::map<std::string, ProxyCall*> suspended_;  // by token
  Timer sweep_;
};

}  // namespace collet::client
