// What a generation's plugin fetches, where the engines are in this process.
#pragma once

#include <set>
#include <string>
#include <unordered_map>

#include "plugin/run/fetch_lanes.h"
#include "plugin/run/fetches.h"

namespace collet::plugin {

class HostFetches final : public Fetches, private FetchLanes::Maker {
 public:
  // `grants`: where it may fetch from; null: everywhere. `lanes` is borrowed.
  HostFetches(CallTable& calls, CallOwner& owner, Answers& answers, FetchLanes& lanes, fetch::GrantsPtr grants);
  ~HostFetches() override;

  void prepare() override;

 private:
  std::int32_t start(std::uint64_t id, LockedCall& inside_of, fetch::Request request) override;
  void stop(std::uint64_t id) override;
  void give(std::uint64_t id, std::size_t bytes) override;
  void detach() override;

  void on_head(std::uint64_t id, fetch::Head head) override;
  void on_body(std::uint64_t id, std::string bytes) override;
  void on_end(std::uint64_t id, fetch::End end) override;
  std::string denial(const std::string& place);

  FetchLanes& lanes_;
  const fetch::GrantsPtr grants_;
  const FetchLanes::LinkPtr link_;

  std::mutex places_mutex_;  // guards all below
  struct Place {
    unsigned loop = 0;
    std::uint64_t serial = 0;
  };
  std::unordered_map<std::uint64_t, Place> places_;  // of what is under way
  bool detached_ = false;
  std::set<std::string> denied_;  // what has been told of
};

}  // namespace collet::plugin
