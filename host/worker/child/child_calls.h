// The calls that a worker's host has begun there, each under the host's id.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>

#include "plugin/run/generation.h"
#include "worker/child/child_call.h"
#include "worker/child/child_items.h"
#include "worker/talk/frame.h"
#include "worker/talk/outbox.h"

namespace collet::worker {

// Of the loop.
class ChildCalls {
 public:
  // All is borrowed. `plugin` is its name in the configuration.
  ChildCalls(const std::string& plugin, const ChildItems& items, Outbox& out) : plugin_(plugin), items_(items), out_(out) {}

  // As frames say; what is not known, or has ended, is passed over. The generation is always the same.
  void start(std::uint64_t id, FieldReader& fields, plugin::Generation& generation);
  void cancel(std::uint64_t id, std::uint32_t reason, plugin::Generation& generation);
  void taken(std::uint64_t id, std::uint64_t bytes, plugin::Generation& generation);
  void body(std::uint64_t id, FieldReader& fields, plugin::Generation& generation);

 private:
  const std::string& plugin_;
  const ChildItems& items_;
  Outbox& out_;
  std::unordered_map<std::uint64_t, ChildCall> running_;
  std::function<void(std::uint64_t id)> ended_ = [this](std::uint64_t id) { running_.erase(id); };
};

}  // namespace collet::worker
