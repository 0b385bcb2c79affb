#include "plugin/abi/create_errors.h"

#include "base/limits.h"
#include "base/text.h"
#include "plugin/abi/structs.h"
#include "plugin/run/items.h"

namespace collet::plugin {

void CreateErrors::note(std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (!ended_) last_ = text.substr(0, text::utf8_prefix(text.substr(0, limits::kCreateErrorBytesMax)));
}

Error CreateErrors::failure(std::int32_t status, const Items& items) const {
  const std::string item = items.last_error();
  const std::lock_guard lock(mutex_);
  std::string message = fmt::format("its create() returned {} ({})", status_name(status), status);
  if (!last_.empty()) message += ": " + last_;
  if (!item.empty()) message += (last_.empty() ? ": " : "; ") + item;
  return Error{std::move(message)};
}

void CreateErrors::end() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  last_.clear();
}

}  // namespace collet::plugin
