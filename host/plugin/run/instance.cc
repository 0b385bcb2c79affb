#include "plugin/run/instance.h"

#include <exception>

namespace collet::plugin {

Result<void> Instance::open() {
  const OwnThreads::Inside inside = enter({crash::kInLoading});
  if (auto opened = image_->open(); !opened) return opened.failure();
  table_ = image_->table();
  return {};
}

Result<std::int32_t> Instance::create(const collet_host& host, const collet_create_params& params) {
  std::int32_t status = COLLET_E_INTERNAL;
  try {
    const OwnThreads::Inside inside = enter({crash::kInCreate});
    status = image_->create(host, params, &self_);
  } catch (const std::exception& thrown) {
    return error("its create() threw an exception: {}", thrown.what());
  } catch (...) {
    return error("its create() threw an exception");
  }
  if (status < 0) return status;
  created_ = true;
  route_watch_ = extension<collet_http_watch>(COLLET_EXT_HTTP).value_or(collet_http_watch());
  const std::lock_guard lock(telling_mutex_);
  tells_ = true;
  return status;
}

void Instance::destroy() {
  const OwnThreads::Inside inside = enter({crash::kInDestroy});
  table_.functions.destroy(self_);
  created_ = false;
}

void Instance::tell_cancelled(CallId id, registry::CancelReason reason) {
  if (!table_.functions.cancel) return;
  const std::lock_guard lock(telling_mutex_);
  if (!tells_) return;
  const OwnThreads::Inside inside = enter({.function = "its cancel()", .call = id});
  table_.functions.cancel(self_, id, static_cast<std::uint32_t>(reason));
}

void Instance::tell_taken(CallId id, std::size_t bytes) {
  if (!route_watch_.taken) return;
  const std::lock_guard lock(telling_mutex_);
  if (!tells_) return;
  const OwnThreads::Inside inside = enter({.function = "its taken()", .call = id});
  route_watch_.taken(self_, id, bytes);
}

void Instance::tell_body(CallId id) {
  if (!route_watch_.body) return;
  const std::lock_guard lock(telling_mutex_);
  if (!tells_) return;
  const OwnThreads::Inside inside = enter({.function = "its body()", .call = id});
  route_watch_.body(self_, id);
}

void Instance::end_telling() {
  const std::lock_guard lock(telling_mutex_);
  tells_ = false;
}

}  // namespace collet::plugin
