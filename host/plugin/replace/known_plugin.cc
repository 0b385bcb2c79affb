#include "plugin/replace/known_plugin.h"

namespace collet::plugin {

KnownPlugin::KnownPlugin(std::mutex& guard, const WatchedUris& watched, PluginSpec wanted)
    : guard_(guard), watched_(watched), wanted_(std::move(wanted)) {}

PluginStatus KnownPlugin::status() const {
  PluginStatus status;
  status.id = wanted_.id;
  status.library = wanted_.library;
  status.problem = problem_;
  if (!current_) return status;
  const Generation& generation = *current_;
  status.plugin_id = generation.table().id;
  status.version = generation.table().version;
  status.generation = generation.number();
  status.on_probation = on_probation();
  status.items = generation.item_count();
  status.calls_in_flight = generation.calls_in_flight();
  status.runs_inline = generation.runs_inline();
  status.placement = generation.in_worker() ? Placement::worker : Placement::in_process;
  status.condition = generation.condition();
  status.place = generation.last_end();
  return status;
}

bool KnownPlugin::has_new_file() const {
  const FileStamp now = FileStamp::of(wanted_.library);
  return now.exists() && now != file_;
}

void KnownPlugin::want(const PluginSpec& spec) {
  const std::lock_guard lock(guard_);
  wanted_ = spec;
}

void KnownPlugin::note_problem(std::string problem) {
  const std::lock_guard lock(guard_);
  problem_ = std::move(problem);
}

void KnownPlugin::go_on_as(const PluginSpec& spec) {
  const std::lock_guard lock(guard_);
  serving_ = spec;
}

std::unique_ptr<Generation> KnownPlugin::install(std::unique_ptr<Generation> generation, const PluginSpec& spec,
                                                 std::optional<Former> former) {
  const std::lock_guard lock(guard_);
  std::unique_ptr<Generation> old = std::exchange(current_, std::move(generation));
  serving_ = spec;
  former_ = std::move(former);
  for (const std::string& uri : watched_) current_->watch(uri, true);
  return old;
}

std::unique_ptr<Generation> KnownPlugin::take_current() {
  const std::lock_guard lock(guard_);
  return std::move(current_);
}

void KnownPlugin::set_former(Former former) {
  const std::lock_guard lock(guard_);
  former_ = std::move(former);
}

std::optional<Former> KnownPlugin::take_former() {
  const std::lock_guard lock(guard_);
  return std::exchange(former_, std::nullopt);
}

}  // namespace collet::plugin
