// Tells of changed lists: of each at once, but at most once an interval, however often it changes. Loop thread.
#pragma once

#include <cstdint>
#include <utility>

#include "base/callback.h"
#include "loop/loop.h"
#include "registry/item.h"

namespace collet::protocol {

// How often lists have changed since somebody was told. Resources and templates are one to clients. One thread's.
class ListChanges {
 public:
  void note(unsigned changed) {
    for (unsigned kind = 0; kind < registry::kListedKinds; ++kind) {
      if (changed & 1u << kind) ++counts_[kind];
    }
  }
  unsigned take(registry::Kind kind) {
    const auto taken = [&](registry::Kind each) { return std::exchange(counts_[static_cast<unsigned>(each)], 0u); };
    return taken(kind) + (kind == registry::Kind::resource ? taken(registry::Kind::resource_template) : 0);
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
