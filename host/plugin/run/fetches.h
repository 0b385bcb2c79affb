// What a generation's plugin fetches over HTTP (collet.fetch.draft/1). Where the engine is, here or in the host of a worker, is for
// those to know who derive from this.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "fetch/request.h"
#include "plugin/run/answers.h"
#include "plugin/run/call_table.h"

namespace collet::plugin {

// Any thread where nothing else is said. The functions of the ABI return its status codes.
class Fetches {
 public:
  struct Heard {  // all run on the thread of the answers
    Callback<void(std::uint64_t id, const fetch::Head&)> head;       // may be empty
    Callback<void(std::string_view bytes)> body;                     // likewise: then what comes counts as taken
    Callback<void(std::uint64_t id, CallId inside_of, const fetch::End&)> ended;
  };

  // All are borrowed, and outlive this.
  Fetches(CallTable& calls, CallOwner& owner, Answers& answers) : calls_(calls), owner_(owner), answers_(answers) {}
  virtual ~Fetches() = default;  // after the answers have been closed
  Fetches(const Fetches&) = delete;
  Fetches& operator=(const Fetches&) = delete;

  // The request is one that fetch::check() lets pass.
  std::int32_t fetch(CallId inside_of, fetch::Request request, Heard heard, std::uint64_t& id);
  std::int32_t taken(std::uint64_t id, std::size_t bytes);
  std::int32_t cancel(std::uint64_t id);

  // The plugin means to fetch: what takes time before that is done by this thread, which may wait.
  virtual void prepare() {}
  // create() has returned: there may be exchanges.
  void open();
  // What was begun inside of that call is cancelled.
  void cancel_inside(CallId call);
  // Nothing new begins, and the plugin is told that what is under way has ended.
  void end_all();

 protected:
  // Tells the plugin; of what has ended it says nothing.
  void tell_head(std::uint64_t id, fetch::Head head);
  void tell_body(std::uint64_t id, std::string bytes);
  void tell_end(std::uint64_t id, fetch::End end);

  const CallOwner& owner() const { return owner_; }

 private:
  // `inside_of` is locked, and empty for the plugin itself. OK promises that tell_end() follows.
  virtual std::int32_t start(std::uint64_t id, LockedCall& inside_of, fetch::Request request) = 0;
  virtual void stop(std::uint64_t id) = 0;
  // So many bytes of what was told are the engine's to read again.
  virtual void give(std::uint64_t id, std::size_t bytes) = 0;
  // When this has returned nothing is told any more.
  virtual void detach() = 0;

  // What the plugin waits for. The callbacks belong to their thread.
  struct Open {
    CallId inside_of = 0;
    std::size_t request_bytes = 0;
    Heard heard;
    // Guarded by mutex_.
    bool cancelled = false;
    std::string body = {};      // that waits to be told
    std::size_t untaken = 0;  // bytes that were told
  };
  using OpenPtr = std::shared_ptr<Open>;  // shared by the table and what is to be told

  std::int32_t add(const OpenPtr& open, std::uint64_t& id);
  OpenPtr take(std::uint64_t id);
  void tell_bytes(Open& open);

  CallTable& calls_;
  CallOwner& owner_;
  Answers& answers_;

  std::mutex mutex_;  // guards all below; taken after a call's
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, OpenPtr> open_;
  std::size_t request_bytes_ = 0;  // of all that is open
  bool created_ = false;
  bool closed_ = false;  // nothing new begins
};

}  // namespace collet::plugin
