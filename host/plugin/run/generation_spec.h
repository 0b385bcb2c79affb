// What a generation is made from, besides its image.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "plugin/abi/blobs.h"
#include "plugin/abi/content.h"
#include "plugin/run/answers.h"
#include "plugin/run/call_table.h"
#include "plugin/run/fetches.h"
#include "plugin/run/items.h"
#include "plugin/run/own_records.h"
#include "plugin/run/own_streams.h"
#include "plugin/run/peers.h"

namespace collet::plugin {

// What a generation hands over to the next one.
struct SavedState {
  std::string bytes;
  std::uint32_t version = 0;
};

struct GenerationSpec {
  std::string name;    // of the plugin in the configuration
  std::string config;  // JSON object
  std::string config_places = {};  // where that stands: a text of ConfigPlaces
  std::uint64_t number = 1;
  CallRules rules = {};
  bool never_unload = false;
  bool debug = false;  // what the host refuses of its plugin is said in the log
  std::optional<SavedState> prior = {};
  std::function<void(std::string_view uri)> resource_updated = {};  // any thread; may be empty
  std::function<void()> status_changed = {};  // any thread; may be empty: what the plugin says of its health is another
  // In a worker process only. Both are borrowed.
  bool isolated = false;
  std::function<void()> erred = {};  // any thread: the plugin has made an error of its own
  std::function<void(std::string_view text)> instructed = {};  // any thread: it has something to tell clients
  const content::Form* form = &content::kClientForm;
  BlobMemory* blob_memory = nullptr;  // null: the heap
  // Makes what the plugin has to do with other items; empty: nothing.
  using MakePeers = std::function<std::unique_ptr<Peers>(CallTable& calls, CallOwner& owner, Answers& answers)>;
  MakePeers make_peers = {};
  // Likewise what it fetches.
  using MakeFetches = std::function<std::unique_ptr<Fetches>(CallTable& calls, CallOwner& owner, Answers& answers)>;
  MakeFetches make_fetches = {};
  // Likewise, with what it keeps with the host.
  std::function<std::unique_ptr<OwnRecords>(Answers& answers)> make_records = {};
  std::function<std::unique_ptr<OwnStreams>(Answers& answers)> make_streams = {};
};

}  // namespace collet::plugin
