// A host table with a loop, and calls that the test answers as a plugin would.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "plugin/abi/host_table.h"
#include "recorder.h"

namespace collet::plugin {

// Whom the calls come from: in-process the listeners themselves, in a worker those who send frames to them.
class Callers {
 public:
  virtual ~Callers() = default;
  // Who hears of a call instead of `listener`; of the table's loop.
  virtual registry::Listener& stand_in(registry::Listener& listener, CallKind kind, const std::string& uri) = 0;
  virtual const content::Form& form() const = 0;
  virtual BlobMemory* blob_memory() const = 0;
};

// Each test program has one of these. The loop is borrowed.
std::unique_ptr<Callers> make_callers(loop::Loop& loop);

class TableHost {
 public:
  TableHost() { owner.form = &callers->form(); }
  ~TableHost() { loop.stop(); }

  CallId begin(registry::Listener& listener, CallKind kind = CallKind::tool, const std::string& uri = {}) {
    CallId id = 0;
    registry::Listener& caller = callers->stand_in(listener, kind, uri);
    loop.run([&] {
      CallSlot* slot = calls.acquire(0, owner, caller, kind);
      slot->reading.uri = uri;
      id = calls.open_held(*slot);
      calls.settle(*slot);
    });
    return id;
  }

  RunningLoop loop;
  const std::unique_ptr<Callers> callers = make_callers(loop.get());
  CallTable calls{{&loop.get()}};
  CallOwner owner{"tester", 1};
  Items items{CallRules{}};
  Blobs blobs{callers->blob_memory()};
  std::vector<std::string> updated;
  HostSide side{calls, owner, items, blobs, [this](std::string_view uri) { updated.emplace_back(uri); }};
  const collet_host table = make_host_table(side);
};

}  // namespace collet::plugin
