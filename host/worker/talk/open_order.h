// What a worker is told first: what to load, and what it may do.
#pragma once

#include <optional>
#include <string>

#include "base/placement.h"
#include "worker/talk/frame.h"

namespace collet::worker {

struct OpenOrder {
  std::string name;     // of the plugin in the configuration
  std::string library;  // the private copy
  std::string view;     // the root of what the copy lies in
  std::string config;   // JSON object
  std::string config_places = {};  // where that stands: a text of ConfigPlaces
  std::uint64_t number = 1;
  std::optional<std::string> prior;
  std::uint32_t prior_version = 0;
  Permissions permissions;
  std::int32_t log_level = 0;   // log::Level
  std::string unenforced;       // what the host could not be brought to enforce, in words, or empty
  bool threads_are_counted = false;  // by the host: see worker/walls/control_group.h
  bool debug = false;                // what its host table refuses is said in the log
};

void append(std::string& out, const OpenOrder& order);
// Nothing if it is none.
std::optional<OpenOrder> read_open_order(std::string_view body);

// A frame that says whether clients watch a resource.
void append_watch(std::string& out, std::string_view uri, bool watched);

}  // namespace collet::worker
