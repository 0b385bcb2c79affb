#include "plugin/abi/refusals.h"

#include "base/limits.h"
#include "base/log.h"
#include "plugin/abi/structs.h"

namespace collet::plugin {
namespace {

std::string_view explain(std::int32_t status) {
  switch (status) {
    case COLLET_E_INVALID:
      return "an argument is malformed: a NULL, no JSON, no UTF-8, an unknown kind";
    case COLLET_E_STALE:
      return "the id names nothing: the call has ended, or is another generation's, or the item or blob is gone";
    case COLLET_E_LIMIT:
      return "it is too large, too many or too deep, or there is no memory for it";
    case COLLET_E_STATE:
      return "not now: the generation is not created yet, or is about to end, or this comes twice or too early, or would have a loop wait";
    case COLLET_E_UNSUPPORTED:
      return "this kind of call has no such result";
    case COLLET_E_DUPLICATE:
      return "that name is registered already";
    default:
      return "the host has failed";
  }
}

}  // namespace

void Refusals::note(const char* function, std::int32_t status) {
  unsigned count;
  {
    const std::lock_guard lock(mutex_);
    count = ++counts_[{function, status}];
  }
  if (count > limits::kRefusalsSaidMax) return;
  log::warning("plugin {}: {}() has returned {} ({}): {}{}", plugin_, function, status_name(status), status, explain(status),
               count == limits::kRefusalsSaidMax ? "; more of these are not said" : "");
}

void Refusals::note_blobs_left(std::size_t count) const {
  if (count == 0) return;
  log::warning("plugin {}: it has left {} blobs that it gave to no call and did not drop", plugin_, count);
}

}  // namespace collet::plugin
