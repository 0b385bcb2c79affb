// All that clients hold open on one loop. Loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "mcp/kinds.h"
#include "protocol/held_open.h"

namespace collet::protocol {

class HeldOpenTable {
 public:
  // Owns it until it is let go.
  HeldOpen& hold(std::uint64_t serial, std::unique_ptr<HeldOpen> held) {
    return *held_open_.emplace(serial, std::move(held)).first->second;
  }
  void let_go(std::uint64_t serial) { held_open_.erase(serial); }
  void end_all() { held_open_.clear(); }

  // Ends all streams, subscriptions with an answer. None may begin from now on.
  void end_streams();
  // Whether it has done so: what opens a stream asks first.
  bool ends_streams() const { return ends_streams_; }
  // Whether one more may be opened by the principal of that id, which is empty if nobody was asked.
  bool has_room_for_subscription(const std::string& principal) const;

  // Each does nothing if there is none of that serial.
  void look(std::uint64_t serial);
  void cancel(std::uint64_t serial);

  // As HeldOpen has them, to each.
  void list_changed(const mcp::ChangingList& list, bool several);
  void resource_updated(std::string_view key);

 private:
  std::map<std::uint64_t, std::unique_ptr<HeldOpen>> held_open_;  // by serial
  bool ends_streams_ = false;
};

}  // namespace collet::protocol
