// What a worker says of a call: any bytes, cut anywhere, are frames that the host table takes or refuses, or a
// reason to kill the worker; the call ends once, and what it ends with is sound.
#include <algorithm>
#include <cstdint>

#include "base/assert.h"
#include "base/json.h"
#include "plugin/table_host.h"
#include "worker/talk/replay.h"

using namespace collet;
using namespace collet::worker;

namespace collet::plugin {
namespace {

class DirectCallers final : public Callers {
  registry::Listener& stand_in(registry::Listener& listener, CallKind, const std::string&) override {
    return listener;
  }
  const content::Form& form() const override { return content::kClientForm; }
  BlobMemory* blob_memory() const override { return nullptr; }
};

}  // namespace

std::unique_ptr<Callers> make_callers(loop::Loop&) { return std::make_unique<DirectCallers>(); }

}  // namespace collet::plugin

namespace {

std::string take(Replay& replay, std::uint64_t call, const FrameBuffer::Frame& frame) {
  switch (frame.head.type) {
    case FrameType::end:
      return replay.end(call, frame.body);
    case FrameType::progress:
      return replay.progress(call, frame.body);
    case FrameType::log:
      return replay.log(call, frame.body);
    case FrameType::close_stream:
      return replay.close_stream(call, frame.body);
    case FrameType::resource_updated:
      return replay.resource_updated(frame.body);
    default:
      return "a frame of another type";
  }
}

void check(const registry::Ending& ending) {
  for (const std::string* list : {&ending.content, &ending.fields}) {
    const bool members = list == &ending.fields;
    const std::string json = (members ? "{" : "[") + *list + (members ? "}" : "]");
    COLLET_ASSERT(json::is_valid(json));
  }
  for (const std::string* value : {&ending.structured, &ending.meta, &ending.data}) {
    COLLET_ASSERT(value->empty() || json::is_valid(*value));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static plugin::TableHost host;
  static const ArenaView arena = std::move(*ArenaView::create());
  if (size == 0) return 0;
  const std::size_t step = *data + std::size_t{1};
  std::string_view left(reinterpret_cast<const char*>(data) + 1, size - 1);

  plugin::Recorder recorder;
  const std::uint64_t call = host.begin(recorder, registry::CallKind::tool, "fuzz://uri");
  Replay replay(host.table, arena);
  FrameBuffer input;
  std::string reason;
  while (!left.empty() && reason.empty() && !input.broken()) {
    std::size_t room;
    char* at = input.room(room);
    const std::size_t count = std::min({step, room, left.size()});
    std::memcpy(at, left.data(), count);
    left.remove_prefix(count);
    input.filled(count);
    while (reason.empty()) {
      const auto frame = input.next();
      if (!frame || host.table.is_cancelled(&host.table, call) == COLLET_E_STALE) break;
      reason = take(replay, call, *frame);
    }
  }
  host.table.fail(&host.table, call, -32603, "over", 4, nullptr, 0);  // if nothing has ended it yet
  check(recorder.wait_end());
  COLLET_ASSERT(recorder.ends() == 1);
  host.updated.clear();
  return 0;
}
