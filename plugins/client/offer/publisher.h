// What all remotes offer, under names that are a pure function of the configuration and of what is offered; and the
// host's registry kept like it.
#pragma once

#include <cstdint>
#include <map>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "client/net/loop.h"
#include "client/offer/config.h"
#include "client/offer/host.h"
#include "client/offer/imported_item.h"
#include "client/offer/lane_target.h"

namespace collet::client {

class Remote;

// One remote's part, in the order of the configuration.
struct Offering {
  const RemoteConfig* config = nullptr;
  std::vector<RemoteItemPtr> items;
  std::string instructions;  // how its items are to be used, in its words
  Remote* remote = nullptr;  // for whom it is known by; not looked into
  LaneGatePtr gate;          // of the way past the client's thread; may be null
};

// An item under the name that clients see.
struct Named {
  std::string name;
  std::size_t remote = 0;  // index of its offering
  RemoteItemPtr item;
};

// What is to be published, and in words what is left out for a clash of names: a sentence each, but one for all URIs
// that a remote has in common with another.
struct Naming {
  std::vector<Named> items;
  std::vector<std::string> clashes;
};
Naming name_items(const std::vector<Offering>& offerings, std::size_t name_bytes_max);

// What all remotes say about their use, each under its name, and in words what is left out for want of room.
struct Guidance {
  std::string text;
  std::vector<std::string> left_out;
};
Guidance join_instructions(const std::vector<Offering>& offerings);

class Publisher {
 public:
  // Borrows all.
  Publisher(Loop& loop, const Host& host);

  // These are the remotes from now on, in this order, each with what it has offered so far. What others have
  // offered, or offer yet, does not count; it is gone with the next publish(). The configurations are borrowed.
  void arrange(std::vector<Offering> remotes, std::uint64_t name_bytes_max);
  // Replaces what a remote offers. Published soon, together with what else changes by then.
  void offer(Offering offering);
  // Now.
  void publish();
  // What would be published soon, now.
  void hurry() {
    if (pending()) publish();
  }
  // Nothing is published any more.
  void close();

  // Whether something has been offered that is not published yet.
  bool pending() const { return timer_.active(); }

  // What a collet_item_def.user stands for; null if it is gone.
  struct Target {
    Remote* remote = nullptr;
    RemoteItemPtr item;
    LaneGatePtr gate;
  };
  const Target* find(std::uint64_t key) const;
  // [any thread] The same; without an item if it is gone.
  LaneTarget find_lane(std::uint64_t key) const;

 private:
  struct Published {
    std::uint64_t key = 0;  // as long as there is something of that name: a call that is on its way here finds it
    collet_item id = 0;     // 0: the host has refused it
  };
  using Name = std::pair<std::uint32_t, std::string>;  // kind and final name

  void schedule();
  void publish_instructions();
  void publish(const Named& named, Published& as);
  void set_target(std::uint64_t key, Target target);

  Loop& loop_;
  const Host& host_;
  Timer timer_;
  std::uint64_t name_bytes_max_ = 0;
  bool closed_ = false;
  std::vector<Offering> offerings_;
  std::map<Name, Published> published_;
  mutable std::shared_mutex targets_mutex_;  // held to change targets_, and by other threads
  std::unordered_map<std::uint64_t, Target> targets_;
  std::uint64_t last_key_ = 0;
  std::uint64_t pause_ms_;
  std::vector<std::string> clashes_;  // as they were told last
  std::string instructions_;          // likewise
};

}  // namespace collet::client
