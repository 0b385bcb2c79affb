// The streams of events that a plugin appends to, reads and follows (collet.events.draft/1).
#pragma once

#include <condition_variable>
#include <optional>
#include <string>
#include <variant>

#include "plugin/run/asking.h"
#include "store/streams.h"

namespace collet::plugin {

struct StreamAppend {
  std::string stream;
  std::string bytes;
};
struct StreamRead {
  store::StreamName name;
  std::uint64_t after = 0;
  std::uint32_t events_max = 0;
};
using StreamOrder = std::variant<StreamAppend, StreamRead>;

inline std::size_t size_of(const StreamOrder& order) {
  const auto* append = std::get_if<StreamAppend>(&order);
  return append ? append->stream.size() + append->bytes.size() : 0;  // the other is small
}

// See collet_events_page.
struct StreamAnswer {
  std::int32_t status = COLLET_OK;
  std::uint64_t sequence = 0;  // of what was appended
  store::Streams::Page page = {};
};

// Any thread. The functions of the ABI return its status codes.
class OwnStreams : public Asking<StreamOrder, StreamAnswer> {
 public:
  using Asking::Asking;

  // `told` has the number of what is followed, and runs on the thread of the answers: for each page, the next of which is asked for when it
  // has returned, and at last with an error, unless unfollow() was before. What is asked before open() begins then.
  using Followed = Callback<void(std::uint64_t follow, const StreamAnswer&)>;
  std::int32_t follow(StreamRead from, Followed told, std::uint64_t& id);
  // When this has returned it is told no more, unless it is this that calls.
  std::int32_t unfollow(std::uint64_t id);

  // Whether it may be read; without that it is not asked for.
  virtual bool may_read(const store::StreamName&) { return true; }

  void open();
  void end_all();

 protected:
  // The page that start_next() has asked for; of what is not followed any more it says nothing.
  void tell_next(std::uint64_t follow, StreamAnswer answer);

 private:
  // Promises that tell_next() follows, once there is an event, unless it is stopped. One at a time of each that is followed. Neither is
  // called while the other one is.
  virtual void start_next(std::uint64_t follow, const StreamRead& from) = 0;
  virtual void stop_next(std::uint64_t follow) = 0;

  struct Follow {
    StreamRead from;  // the next page; thread of the answers, once it is opened
    Followed told;
    std::optional<StreamAnswer> next = {};  // that waits to be told; guarded by follows_mutex_
  };
  using FollowPtr = std::shared_ptr<Follow>;  // shared by the table and what is to be told

  void begin_next(std::uint64_t id, const StreamRead& from);
  void end_next(std::uint64_t id);
  bool is_followed(std::uint64_t id);
  void push_next(std::uint64_t id, Follow& follow, StreamAnswer answer);
  void deliver(std::uint64_t id);
  void go_on(std::uint64_t id, Follow& follow, const StreamAnswer& answer);

  std::mutex next_mutex_;     // held while a next page is begun, or stopped
  std::mutex follows_mutex_;  // guards all below; taken after the other one
  std::condition_variable returned_;
  std::map<std::uint64_t, FollowPtr> follows_;
  std::uint64_t last_follow_ = 0;
  std::uint64_t running_ = 0;  // what is just being told; 0: nothing
  std::size_t untold_ = 0;     // pages that were to be told, and are not yet, also of what has been unfollowed
  bool follows_opened_ = false;
  bool follows_closed_ = false;
};

}  // namespace collet::plugin
