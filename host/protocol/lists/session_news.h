// Tells legacy sessions over HTTP that lists have changed and resources were updated, by their side logs, whichever loops their
// requests come in on.
#pragma once

#include <cstdint>
#include <string_view>

#include "loop/loop.h"
#include "protocol/legacy/session.h"
#include "protocol/lists/list_news.h"
#include "protocol/lists/loop_catalog.h"
#include "registry/registry.h"

namespace collet::protocol {

class SessionNews {
 public:
  // Sessions are told of lists on `loop`, whose catalog it is. All outlive it; `interval_ms` as ListNews has it.
  SessionNews(loop::Loop& loop, std::uint64_t interval_ms, LoopCatalog& catalog, SessionTable& sessions);

  // Any loop's thread: the last loop has adopted a snapshot in which the lists of these kinds, bits, have changed.
  void note_lists(unsigned changed);
  // Any thread: the resource with that normal spelling was updated.
  void tell_updated(std::string_view key, const registry::Snapshot& snapshot);

 private:
  void tell_lists(unsigned changed);

  loop::Loop& loop_;
  LoopCatalog& catalog_;
  SessionTable& sessions_;
  ListChanges changes_;  // the loop's, as the next; that news_ has not told of
  ListNews news_;
};

}  // namespace collet::protocol
