// The host's side of the ABI: the table of C functions that a generation's plugin calls.
//
// Nothing a plugin passes is believed: pointers with sizes, UTF-8, JSON, sizes, kinds and ids are all checked. A
// function of the result group that fails makes its call fail, with the first error as the reason. complete(),
// fail() and suspend() end the call even when they report an error, so that no call is left hanging by a bad
// argument.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "collet/plugin.h"
#include "plugin/abi/blobs.h"
#include "plugin/abi/instructions.h"
#include "plugin/run/call_table.h"
#include "plugin/run/items.h"

namespace collet::plugin {

class CreateErrors;
class Fetches;
class LoopWork;
class OwnRecords;
class OwnStreams;
class Peers;
class Refusals;

// What a host table stands on; its address is collet_host.host_data.
struct HostSide {
  CallTable& calls;
  CallOwner& owner;
  Items& items;
  Blobs& blobs;
  std::function<void(std::string_view uri)> resource_updated;  // any thread; may be empty
  std::function<void()> status_changed;                        // likewise
  Instructions* instructions = nullptr;                        // null: nobody would hear them
  LoopWork* loop_work = nullptr;                               // null: plugins have nothing to do on loops here
  Peers* peers = nullptr;                                      // null: nor with other items
  Fetches* fetches = nullptr;                                  // null: nor anything to fetch
  Refusals* refusals = nullptr;  // what is refused is noted there; null: nowhere
  bool confined = false;   // what it serves over HTTP is not to have the rights of the host's name
  bool in_worker = false;  // this process is the worker
  OwnRecords* records = nullptr;  // null: it keeps none
  OwnStreams* streams = nullptr;  // null: it has none, and reads none
  CreateErrors* create_errors = nullptr;  // null: nobody asks why its create() fails
};

// `side` is borrowed for as long as the table is used.
collet_host make_host_table(HostSide& side);

}  // namespace collet::plugin
