// What plugins offer and how they are.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/replace/loader.h"
#include "registry/registry.h"
#include "service/host.h"

namespace collet::service {

// At one moment.
struct Listing {
  registry::SnapshotPtr snapshot;
  std::vector<plugin::PluginStatus> plugins;
  std::string remotes;  // a JSON array, an object for each remote, without secrets; empty: there are none
  struct Replaced {
    std::vector<plugin::Draining> draining;
    std::vector<plugin::LeftBehind> left_behind;
  };
  std::optional<Replaced> replaced;  // of a running server
};

// Any thread.
Listing list(Host& host, bool running);
// {"items":[…],"leftOut":[…],"plugins":[…]}, where there are remotes "remotes", and of a running server also "ok", "server",
// "draining" and "leftBehind". One line.
std::string to_json(const Listing& listing);

// "replaced"
std::string_view done_name(plugin::LoadReport::Done done);

}  // namespace collet::service
