#include "registry/deadlines.h"

#include <tuple>

namespace collet::registry {
namespace {

using Entry = Deadlines::Entry;

bool is_due_before(const Entry& a, const Entry& b) { return std::tie(a.when_ms, a.order) < std::tie(b.when_ms, b.order); }

// Of two that have nothing beside them the one that is due first, with the other below it. Either may be null.
Entry* meld(Entry* a, Entry* b) {
  if (!a || !b) return a ? a : b;
  if (is_due_before(*b, *a)) std::swap(a, b);
  b->before = a;
  b->next = a->below;
  if (b->next) b->next->before = b;
  a->below = b;
  return a;
}

// All of a row: by twos from the first to the last, and what comes of that from the last to the first.
Entry* meld_row(Entry* row) {
  Entry* pairs = nullptr;
  while (row) {
    Entry* const a = std::exchange(row, row->next);
    Entry* const b = row ? std::exchange(row, row->next) : nullptr;
    a->next = nullptr;
    if (b) b->next = nullptr;
    Entry* const pair = meld(a, b);
    pair->next = std::exchange(pairs, pair);
  }
  Entry* first = nullptr;
  while (pairs) {
    Entry* const pair = std::exchange(pairs, pairs->next);
    pair->next = nullptr;
    first = meld(first, pair);
  }
  if (first) first->before = nullptr;
  return first;
}

}  // namespace

Deadlines::~Deadlines() {
  while (first_) remove(*first_);
}

void Deadlines::add(Entry& entry, std::uint64_t after_ms) noexcept {
  entry.armed_in = this;
  entry.when_ms = loop_.now_ms() + after_ms;
  entry.order = ++last_order_;
  first_ = meld(first_, &entry);
  if (entry.when_ms < timer_at_ms_) set_timer();
}

void Deadlines::remove(Entry& entry) noexcept {
  Entry* const below = meld_row(std::exchange(entry.below, nullptr));
  if (first_ == &entry) {
    first_ = below;
  } else {
    Entry& before = *entry.before;
    (before.below == &entry ? before.below : before.next) = entry.next;
    if (entry.next) entry.next->before = &before;
    first_ = meld(first_, below);
  }
  entry.next = entry.before = nullptr;
  entry.armed_in = nullptr;
  if (!first_) set_timer();
}

std::uint64_t Deadlines::left_ms(const Entry& entry) const {
  const std::uint64_t now = loop_.now_ms();
  return entry.when_ms > now ? entry.when_ms - now : 1;
}

// One that was removed meanwhile may leave the timer set too early, and nothing is due then.
void Deadlines::set_timer() noexcept {
  if (expiring_) return;
  timer_at_ms_ = first_ ? first_->when_ms : kNever;
  if (!first_) return timer_.stop();
  const std::uint64_t now = loop_.now_ms();
  timer_.start(timer_at_ms_ > now ? timer_at_ms_ - now : 0, [this] { expire(); });
}

void Deadlines::expire() {
  const std::uint64_t now = loop_.now_ms();
  const std::uint64_t last = last_order_;  // what is armed from here on passes in another turn
  expiring_ = true;
  while (first_ && first_->when_ms <= now && first_->order <= last) {
    Entry& due = *first_;
    remove(due);
    due.passed();
  }
  expiring_ = false;
  set_timer();
}

}  // namespace collet::registry
