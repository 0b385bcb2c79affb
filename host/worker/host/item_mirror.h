// What the processes of a worker register, as the host has it: items under the ids of the process that serves, and what it tells
// clients. What a process registers before it is up waits, and then takes the place of all that the one before had.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "collet/plugin.h"
#include "worker/talk/replay.h"

namespace collet::worker {

// Any thread. The host and the replay are borrowed.
class ItemMirror {
 public:
  // What is told of an item, to the process that has registered it: which of the plugin's processes that is, and as what it is known
  // there.
  struct Handle {
    std::uint64_t incarnation = 0;
    std::uint64_t worker_id = 0;
    static Handle of(const void* item_user);
    void* item_user() const;
  };

  // What has been registered by now is told of, and all that comes.
  void attach(const collet_host& host, Replay& replay);
  // Another process begins.
  void begin(std::uint64_t incarnation);
  // It is up.
  void adopt();
  // Each returns why the frame cannot come from a sound worker, or an empty text.
  std::string take_items(std::string_view body, bool is_up);
  std::string take_instructions(std::string_view body, bool is_up);

 private:
  struct Added {
    std::uint64_t worker_id = 0;
    std::uint32_t kind = 0;
    std::uint32_t flags = 0;
    std::uint32_t timeout_ms = 0;
    std::string name;
    std::string definition;
    std::size_t bytes() const { return name.size() + definition.size(); }
  };
  struct Mirrored {
    collet_item id = 0;
    std::size_t bytes = 0;
  };

  // With mutex_, when there is a host.
  void change(const std::vector<std::uint64_t>& removed, const std::vector<Added>& added);
  void adopt_pending();

  std::mutex mutex_;  // guards all below
  const collet_host* host_ = nullptr;
  Replay* replay_ = nullptr;  // not null with the host
  std::uint64_t incarnation_ = 0;
  std::map<std::uint64_t, Mirrored> items_;  // by the worker's id
  std::vector<Added> pending_;
  std::size_t bytes_ = 0;  // of both
  std::string pending_instructions_;
};

}  // namespace collet::worker
