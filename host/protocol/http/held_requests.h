// Requests of one loop that are held: until it is known who sends them, or until what they need has been fetched.
//
// Threads: that of the loop; what both hold() and hold_for() return may be used on any.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/callback.h"
#include "loop/loop.h"
#include "protocol/http/authenticator.h"
#include "transport/http.h"

namespace collet::protocol {

struct HeldLimits {
  std::uint64_t timeout_ms;
  unsigned count_max;  // of which one client may have half
};

class HeldRequests {
 public:
  // A request that is not released in time, or before the server ends, is refused by `refuse`, with the reason.
  using Refuse = Refusal (*)(std::string_view why);
  HeldRequests(loop::Loop& loop, HeldLimits limits, Refuse refuse);
  ~HeldRequests();  // when none of their connections is left
  HeldRequests(const HeldRequests&) = delete;
  HeldRequests& operator=(const HeldRequests&) = delete;

  // What a request is released with.
  struct Known {
    Verdict verdict;
    bool has_needs = false;  // what its route needs has been fetched, as far as it is there
  };

  // Holds the request that is being given to its handler, and releases it with the verdict, or one of ours when the time is up.
  // Nothing: too many are held, this one is not.
  std::optional<LateVerdict> hold(transport::HttpReply& reply, std::string_view client);
  // The same for what its route needs: the principal's request is released once that is called, refused if there is a problem.
  std::optional<Callback<void(std::string_view problem)>> hold_for(transport::HttpReply& reply, std::string_view client, registry::PrincipalPtr principal);
  // Refuses all.
  void give_up();

  // What a request has been released with; null: it is a new one.
  static const Known* known_of(const transport::HttpRequest& request) { return static_cast<const Known*>(request.known); }

 private:
  using SharedKnown = std::shared_ptr<const Known>;
  using Serial = std::uint64_t;

  // Told of its client's leaving, which ends it.
  struct Held final : transport::HttpReplyObserver {
    Held(HeldRequests& of, Serial number, transport::HttpReply& to, std::string_view sent_by)
        : owner(of), serial(number), reply(to), client(sent_by), time_limit(of.loop_) {}
    void on_gone() override { owner.held_.erase(serial); }

    HeldRequests& owner;
    const Serial serial;
    transport::HttpReply& reply;
    const std::string client;
    loop::Timer time_limit;
  };
  // Shared by this and what is to release the requests, which finds nothing there in the end.
  struct Door;

  bool has_room_for(std::string_view client) const;
  std::optional<Serial> add(transport::HttpReply& reply, std::string_view client);
  void release(Serial serial, SharedKnown known);

  loop::Loop& loop_;
  const HeldLimits limits_;
  const std::shared_ptr<Door> door_;
  const Refuse refuse_;
  const SharedKnown late_;
  const SharedKnown ending_;
  Serial last_serial_ = 0;
  std::map<Serial, Held> held_;
};

}  // namespace collet::protocol
