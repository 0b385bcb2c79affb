#include "protocol/legacy/event_budget.h"

namespace collet::protocol {

bool EventBudget::take(std::size_t bytes) {
  if (used_.fetch_add(bytes) + bytes <= bytes_max_ && (!all_ || all_->take(bytes))) return true;
  used_ -= bytes;
  return false;
}

void EventBudget::give_back(std::size_t bytes) {
  used_ -= bytes;
  if (all_) all_->give_back(bytes);
}

}  // namespace collet::protocol
