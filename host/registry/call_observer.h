// Who is told of each call: what counts, records or limits them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "registry/item.h"

namespace collet::registry {

// One round of a call that is handed to a plugin. Borrowed until the function returns.
struct CallFacts {
  CallKind kind = CallKind::tool;
  std::string_view name;             // final name; of a resource its URI, of a route the path that was asked for
  std::string_view plugin;           // its id
  std::uint64_t generation = 0;      // of the plugin; 0: it is being replaced, and the call waits for that before it runs
  const Principal* principal = nullptr;  // for whom; null: nobody in particular
  std::uint32_t round = 0;
  unsigned depth = 0;               // how many calls it is made inside of
  std::size_t bytes = 0;            // of its arguments and answers, or of a request's body
};

struct CallEnd {
  Ending::How how = Ending::How::completed;
  bool is_error = false;  // completed, and the tool says that it has failed
  int rpc_code = 0;       // failed
  std::size_t bytes = 0;  // of the result, or of an answer's body
  std::uint64_t took_us = 0;
  std::string_view reason = {};  // of a failure, or what the tool says of its own as JSON texts; may be private to whoever called
};

// On the loop of the call, on several loops at once. Takes microseconds, and throws std::bad_alloc at most.
class CallObserver {
 public:
  virtual void on_call_begun(const CallFacts& facts) = 0;
  // Once for each that has begun, before its caller hears of it; not of one that still runs when the loops have ended.
  virtual void on_call_ended(const CallFacts& facts, const CallEnd& end) = 0;

 protected:
  ~CallObserver() = default;
};

struct Item;

// Who is to be told in the listener's place of a call that begins now, so that the observers, a snapshot's, hear of it. It is good
// until the call's end, of which it is told exactly once.
Listener& observed(const std::vector<CallObserver*>& observers, const Item& item, const Call& call, Listener& listener);
// It will not be told of an end any more, and nor will the observers.
void forget(Listener& observed);

}  // namespace collet::registry
