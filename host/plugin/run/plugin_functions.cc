#include "plugin/run/plugin_functions.h"

#include <utility>

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "collet/ext/reconfigure.h"
#include "collet/ext/save_state.h"
#include "collet/ext/status.h"
#include "collet/ext/watch.h"
#include "plugin/abi/structs.h"

namespace collet::plugin {
namespace {

// Where a plugin's save() writes to.
struct StateBuffer {
  std::string bytes;

  static std::int32_t write(void* to, const char* data, std::size_t size) {
    auto& buffer = *static_cast<StateBuffer*>(to);
    if (!is_sound(data, size)) return COLLET_E_INVALID;
    if (size > limits::kSavedStateBytesMax - buffer.bytes.size()) return COLLET_E_LIMIT;
    buffer.bytes.append(view(data, size));
    return COLLET_OK;
  }
};

}  // namespace

void PluginFunctions::quiesce(Clock::duration at_most) {
  if (!instance_.table().functions.quiesce || std::exchange(quiesced_, true)) return;
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(at_most).count();
  control_.run([this, ms] {
    const OwnThreads::Inside inside = instance_.enter({"its quiesce()"});
    instance_.table().functions.quiesce(instance_.self(), static_cast<std::uint32_t>(ms));
  });
}

std::string PluginFunctions::status() const {
  std::string out;
  const auto take = [](void* context, const char* json, std::size_t size) {
    static_cast<std::string*>(context)->assign(text::Utf8(view(json, size)).view());
  };
  const auto offered = instance_.extension<collet_status>(COLLET_EXT_STATUS);
  const OwnThreads::Inside inside = instance_.enter({"its status()"});
  if (!offered || !offered->status || offered->status(instance_.self(), take, &out) < 0) return {};
  if (!json::is_object(out)) return {};
  return out;
}

bool PluginFunctions::reports_status() const {
  const auto offered = instance_.extension<collet_status>(COLLET_EXT_STATUS);
  return offered && offered->status;
}

bool PluginFunctions::watches() const {
  const auto offered = instance_.extension<collet_watch>(COLLET_EXT_WATCH);
  return offered && offered->watch;
}

void PluginFunctions::watch(std::string_view uri, bool watched) const {
  const auto offered = instance_.extension<collet_watch>(COLLET_EXT_WATCH);
  const OwnThreads::Inside inside = instance_.enter({"its watch()"});
  if (offered && offered->watch) offered->watch(instance_.self(), uri.data(), uri.size(), watched ? 1 : 0);
}

Result<std::optional<SavedState>> PluginFunctions::save_state(Clock::time_point deadline) {
  using Saved = std::optional<SavedState>;
  const auto extension = instance_.extension<collet_save_state>(COLLET_EXT_SAVE_STATE);
  if (!extension || !extension->save) return Saved();
  struct Job {
    StateBuffer buffer;
    std::int32_t status = COLLET_E_INTERNAL;
  };
  const auto job = std::make_shared<Job>();  // shared with a save() that does not return
  control_.run([this, job, save = extension->save] {
    const OwnThreads::Inside inside = instance_.enter({"its save()"});
    try {
      job->status = save(instance_.self(), StateBuffer::write, &job->buffer);
    } catch (...) {
      job->status = COLLET_E_INTERNAL;
    }
  });
  if (!control_.wait_until(deadline)) return error("the save() of the generation before has not returned in time");
  if (job->status < 0) {
    return error("the save() of the generation before returned {} ({})", status_name(job->status), job->status);
  }
  return Saved(SavedState{std::move(job->buffer.bytes), extension->version});
}

std::optional<std::uint32_t> PluginFunctions::state_version() const {
  const auto extension = instance_.extension<collet_save_state>(COLLET_EXT_SAVE_STATE);
  return extension && extension->save ? std::optional(extension->version) : std::nullopt;
}

bool PluginFunctions::reconfigurable() const {
  const auto extension = instance_.extension<collet_reconfigure>(COLLET_EXT_RECONFIGURE);
  return extension && extension->reconfigure;
}

bool PluginFunctions::reconfigure(const std::string& config, Clock::time_point deadline) {
  const auto extension = instance_.extension<collet_reconfigure>(COLLET_EXT_RECONFIGURE);
  if (!extension || !extension->reconfigure) return false;
  const auto status = std::make_shared<std::int32_t>(COLLET_E_INTERNAL);  // shared with one that does not return
  control_.run([this, config, status, reconfigure = extension->reconfigure] {
    const OwnThreads::Inside inside = instance_.enter({"its reconfigure()"});
    try {
      *status = reconfigure(instance_.self(), config.data(), config.size());
    } catch (...) {
      *status = COLLET_E_INTERNAL;
    }
  });
  return control_.wait_until(deadline) && *status >= 0;
}

}  // namespace collet::plugin
