// Requests of one loop that are held until it is known who sends them.
//
// Threads: that of the loop; what hold() returns may be used on any.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "loop/loop.h"
#include "protocol/http/authenticator.h"
#include "transport/http.h"

namespace collet::protocol {

struct PendingLimits {
  std::uint64_t timeout_ms;
  unsigned count_max;  // of which one client may have half
};

class PendingAuthentications {
 public:
  PendingAuthentications(loop::Loop& loop, PendingLimits limits);
  ~PendingAuthentications();  // when none of their connections is left
  PendingAuthentications(const PendingAuthentications&) = delete;
  PendingAuthentications& operator=(const PendingAuthentications&) = delete;

  // Holds the request that is being given to its handler, and releases it with the verdict, or one of ours when the time is up.
  // Nothing: too many are held, this one is not.
  std::optional<LateVerdict> hold(transport::HttpReply& reply, std::string_view client);
  // Refuses all.
  void give_up();

  // What a request has been released with; null: it is a new one.
  static const Verdict* verdict_on(const transport::HttpRequest& request) { return static_cast<const Verdict*>(request.known); }

 private:
  using SharedVerdict = std::shared_ptr<const Verdict>;

  // Told of its client's leaving, which ends it.
  struct Held final : transport::HttpReplyObserver {
    Held(PendingAuthentications& of, std::uint64_t number, transport::HttpReply& to, std::string_view sent_by)
        : owner(of), serial(number), reply(to), client(sent_by), time_limit(of.loop_) {}
    void on_gone() override { owner.held_.erase(serial); }

    PendingAuthentications& owner;
    const std::uint64_t serial;
    transport::HttpReply& reply;
    const std::string client;
    loop::Timer time_limit;
  };
  // Shared by this and the verdicts that are to come, which find nothing there in the end.
  struct Door;

  bool has_room_for(std::string_view client) const;
  void release(std::uint64_t serial, SharedVerdict verdict);

  loop::Loop& loop_;
  const PendingLimits limits_;
  const std::shared_ptr<Door> door_;
  const SharedVerdict late_;
  const SharedVerdict ending_;
  std::uint64_t last_serial_ = 0;
  std::map<std::uint64_t, Held> held_;  // by serial
};

}  // namespace collet::protocol
