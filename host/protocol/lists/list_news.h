// Tells of changed lists: of each at once, but at most once an interval, however often it changes. Loop thread.
#pragma once

#include <cstdint>
#include <utility>

#include "base/callback.h"
#include "loop/loop.h"
#include "registry/item.h"

namespace collet::protocol {

// How often lists have changed since somebody was told. One thread's.
class ListChanges {
 public:
  void note(unsigned changed) {
    for (unsigned kind = 0; kind < registry::kListedKinds; ++kind) {
      if (changed & 1u << kind) ++counts_[kind];
    }
  }
  unsigned take(const mcp::ChangingList& list) {
    unsigned taken = 0;
    for (unsigned kind = 0; kind < registry::kListedKinds; ++kind) {
      if (list.kinds & 1u << kind) taken += std::exchange(counts_[kind], 0u);
    }
    return taken;
  }

 private:
  unsigned counts_[registry::kListedKinds] = {};
};

class ListNews {
 public:
  // `tell` is given bits of kinds, as registry::Registry::Publisher. An interval of 0: always at once.
  ListNews(loop::Loop& loop, std::uint64_t interval_ms, Callback<void(unsigned changed)> tell)
      : interval_ms_(interval_ms), tell_(std::move(tell)), quiet_(loop) {}

  void note(unsigned changed) {
    if (interval_ms_ == 0 && changed != 0) return tell_(changed);
    untold_ |= changed;
    const unsigned telling = untold_ & ~told_;
    if (telling == 0) return;
    untold_ &= ~telling;
    if (told_ == 0) {
      quiet_.start(interval_ms_, [this] {
        told_ = 0;
        note(0);
      });
    }
    told_ |= telling;
    tell_(telling);
  }

 private:
  const std::uint64_t interval_ms_;
  Callback<void(unsigned changed)> tell_;
  unsigned untold_ = 0;  // have changed since they were told
  unsigned told_ = 0;    // were told within the interval, which the timer ends
  loop::Timer quiet_;
};

}  // namespace collet::protocol
