// What a worker's plugin does with items of the host's: its invocations and lists, and what it hears of changes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "collet/ext/draft/registry.h"
#include "collet/ext/draft/tools.h"
#include "worker/host/errands.h"

namespace collet::worker {

class PeerErrands final : public Errands {
 public:
  explicit PeerErrands(Send send) : Errands(std::move(send), limits::kInvocationsMax) {}

 private:
  struct Errand;  // what the callbacks are given

  bool find_tables(const collet_host& host) override;
  std::string make(std::uint32_t incarnation, const FrameHead& head, std::string_view body) override;
  Callback<void()> forget() override;
  // Of that process; nothing if it is gone by now.
  std::string invoke(std::uint32_t incarnation, std::uint64_t id, std::string_view body);
  std::string list(std::uint32_t incarnation, std::uint64_t id, std::string_view body);
  void watch();
  void cancel(std::uint64_t id);
  void say_outcome(std::uint32_t incarnation, std::uint64_t id, const collet_outcome& outcome) const;
  void say_listing(std::uint32_t incarnation, std::uint64_t id, std::int32_t status, std::string_view json) const;
  void refuse(std::uint32_t incarnation, std::uint64_t id, std::int32_t status) const;

  const collet_tools* tools_ = nullptr;
  const collet_registry* registry_ = nullptr;

  // With the lock.
  bool watches_ = false;  // this process wants to hear of changes
  std::size_t bytes_ = 0;  // of arguments that are under way
  unsigned lists_ = 0;     // that are under way
  std::map<std::uint64_t, collet_invocation> invocations_;  // by the worker's number
};

}  // namespace collet::worker
