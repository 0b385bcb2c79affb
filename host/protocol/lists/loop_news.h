// Tells clients of one loop that lists have changed and resources were updated: those that hold something open there, and the
// one at the other end of the standard streams. SessionNews tells legacy sessions over HTTP. Loop thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "loop/loop.h"
#include "protocol/held_open_table.h"
#include "protocol/lists/list_news.h"
#include "protocol/lists/loop_catalog.h"
#include "protocol/loop_clients.h"

namespace collet::protocol {

class LoopNews {
 public:
  // All outlive it; `interval_ms` as ListNews has it.
  LoopNews(loop::Loop& loop, std::uint64_t interval_ms, LoopCatalog& catalog, HeldOpenTable& held_open,
           const LoopClients& clients);

  // The loop has adopted a snapshot in which the lists of these kinds, bits, have changed.
  void note_lists(unsigned changed);
  // The resource with that normal spelling was updated.
  void tell_updated(std::string_view key);

 private:
  void tell_lists(unsigned changed);

  LoopCatalog& catalog_;
  HeldOpenTable& held_open_;
  const LoopClients& clients_;
  ListChanges changes_;  // that news_ has not told of
  ListNews news_;
};

}  // namespace collet::protocol
