#include "plugin/abi/extensions.h"

#include "collet/ext/instructions.h"
#include "collet/ext/relay.h"
#include "collet/ext/status.h"
#include "collet/ext/stream.h"
#include "plugin/abi/entered.h"
#include "plugin/abi/events_table.h"
#include "plugin/abi/fetch_table.h"
#include "plugin/abi/http_table.h"
#include "plugin/abi/instructions.h"
#include "plugin/abi/loop_table.h"
#include "plugin/abi/notices.h"
#include "plugin/abi/peers_table.h"
#include "plugin/abi/relay.h"
#include "plugin/abi/store_table.h"
#include "plugin/run/fetches.h"

namespace collet::plugin {
namespace {

std::int32_t status_changed(const collet_host* host) {
  return entered(host, [](HostSide& side) -> std::int32_t {
    if (side.status_changed) side.status_changed();
    return COLLET_OK;
  });
}

constexpr collet_instructions kInstructions{sizeof(collet_instructions), 0, set_instructions};
constexpr collet_relay kRelay{sizeof(collet_relay), 0, relay::complete_with};
constexpr collet_status_watch kStatusWatch{sizeof(collet_status_watch), 0, status_changed};
constexpr collet_stream kStream{sizeof(collet_stream), 0, notices::close_stream};

struct Extension {
  std::string_view id;
  const void* table;
};
constexpr Extension kExtensions[] = {
    {COLLET_EXT_INSTRUCTIONS, &kInstructions},
    {COLLET_EXT_RELAY, &kRelay},
    {COLLET_EXT_STATUS, &kStatusWatch},
    {COLLET_EXT_STREAM, &kStream},
};

}  // namespace

const void* find_extension(std::string_view id, const HostSide& side) {
  if (id == COLLET_EXT_HTTP) return side.refusals ? &kNotedHttpTable : &kHttpTable;
  if (id == COLLET_EXT_TOOLS) return side.peers ? &kToolsTable : nullptr;
  if (id == COLLET_EXT_REGISTRY) return side.peers ? &kRegistryTable : nullptr;
  if (id == COLLET_EXT_STORE) return side.records ? &kStoreTable : nullptr;
  if (id == COLLET_EXT_EVENTS) return side.streams ? &kEventsTable : nullptr;
  if (id == COLLET_EXT_FETCH) {
    if (side.fetches) side.fetches->prepare();
    return side.fetches ? &kFetchTable : nullptr;
  }
  if (id == COLLET_EXT_LOOP) return side.loop_work ? &kLoopTable : nullptr;
  for (const Extension& extension : kExtensions) {
    if (extension.id == id) return extension.table;
  }
  return nullptr;
}

}  // namespace collet::plugin
