// The plugins of the host in the order of their declaration, and what anybody may ask and tell all of them.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/replace/known_plugin.h"

namespace collet::plugin {

// The loader's thread alone changes it, and may read it at any time; [any] takes the lock.
class Roster {
 public:
  using Plugins = std::vector<std::unique_ptr<KnownPlugin>>;

  // Null: there is none of that id.
  KnownPlugin* find(std::string_view id) const;
  const Plugins& plugins() const { return plugins_; }
  // Whether these are the plugins, in this order, with these rules for their names.
  bool is_declared_as(const std::vector<PluginSpec>& specs) const;
  KnownPlugin& add(PluginSpec wanted);
  // From now on these are the plugins, in this order; of one that is new only the id is known so far, of the others what
  // was. Returns those that are gone, which this must outlive.
  Plugins arrange(const std::vector<PluginSpec>& specs);

  // [any] As the loader's functions of the same names.
  std::vector<PluginStatus> status() const;
  std::size_t count_missing() const;
  void watch(std::string_view uri, bool watched);
  std::string health(std::string_view id) const;
  std::string importer() const;
  std::string instructions(const std::function<bool(std::string_view id)>& is_shown) const;

 private:
  mutable std::mutex mutex_;  // guards all below, and what KnownPlugin says
  WatchedUris watched_;
  Plugins plugins_;
};

}  // namespace collet::plugin
