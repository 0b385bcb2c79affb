#include "plugin/replace/roster.h"

#include <algorithm>

namespace collet::plugin {

KnownPlugin* Roster::find(std::string_view id) const {
  const auto found = std::find_if(plugins_.begin(), plugins_.end(), [&](const auto& p) { return p->id() == id; });
  return found == plugins_.end() ? nullptr : found->get();
}

bool Roster::is_declared_as(const std::vector<PluginSpec>& specs) const {
  return std::equal(
      specs.begin(), specs.end(), plugins_.begin(), plugins_.end(), [](const PluginSpec& spec, const auto& plugin) {
        return spec.id == plugin->id() && spec.rules == plugin->wanted().rules;
      });
}

KnownPlugin& Roster::add(PluginSpec wanted) {
  auto plugin = std::make_unique<KnownPlugin>(mutex_, watched_, std::move(wanted));
  const std::lock_guard lock(mutex_);
  return *plugins_.emplace_back(std::move(plugin));
}

Roster::Plugins Roster::arrange(const std::vector<PluginSpec>& specs) {
  const std::lock_guard lock(mutex_);
  Plugins gone = std::exchange(plugins_, {});
  for (const PluginSpec& spec : specs) {
    const auto known =
        std::find_if(gone.begin(), gone.end(), [&](const auto& plugin) { return plugin->id() == spec.id; });
    if (known == gone.end()) {
      PluginSpec nothing_yet;
      nothing_yet.id = spec.id;
      plugins_.push_back(std::make_unique<KnownPlugin>(mutex_, watched_, std::move(nothing_yet)));
    } else {
      plugins_.push_back(std::move(*known));
      gone.erase(known);
    }
  }
  return gone;
}

std::vector<PluginStatus> Roster::status() const {
  const std::lock_guard lock(mutex_);
  std::vector<PluginStatus> all;
  for (const auto& plugin : plugins_) all.push_back(plugin->status());
  return all;
}

std::size_t Roster::count_missing() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::ranges::count_if(plugins_, [](const auto& plugin) {
    return !plugin->current() || plugin->current()->given_up();
  }));
}

void Roster::watch(std::string_view uri, bool watched) {
  const std::lock_guard lock(mutex_);
  if (watched) {
    watched_.emplace(uri);
  } else if (const auto found = watched_.find(uri); found != watched_.end()) {
    watched_.erase(found);
  }
  for (const auto& plugin : plugins_) {
    if (plugin->current()) plugin->current()->watch(uri, watched);
  }
}

std::string Roster::health(std::string_view id) const {
  std::shared_ptr<Inquiry> inquiry;
  {
    const std::lock_guard lock(mutex_);
    const KnownPlugin* plugin = find(id);
    if (plugin && plugin->current()) inquiry = plugin->current()->inquiry();
  }
  return inquiry ? inquiry->status() : std::string();
}

std::string Roster::importer() const {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(plugins_.begin(), plugins_.end(), [](const auto& plugin) { return plugin->wanted().imports_remotes; });
  return found == plugins_.end() ? std::string() : (*found)->id();
}

std::string Roster::instructions(const std::function<bool(std::string_view id)>& is_shown) const {
  const std::lock_guard lock(mutex_);
  std::string all;
  for (const auto& plugin : plugins_) {
    const bool tells = plugin->current() && is_shown(plugin->id());
    const std::string text = tells ? plugin->current()->instructions() : std::string();
    if (!all.empty() && !text.empty()) all += "\n\n";
    all += text;
  }
  return all;
}

}  // namespace collet::plugin
