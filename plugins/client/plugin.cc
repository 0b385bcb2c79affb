// The plugin that imports what other MCP servers offer, in this host's registry. Configured by [remote.<name>].
#include <collet/ext/draft/remotes.h>
#include <collet/ext/reconfigure.h>
#include <collet/ext/save_state.h>
#include <collet/ext/status.h>
#include <collet/ext/watch.h>
#include <collet/plugin.h>

#include <cstring>

#include "client/remote/client.h"

namespace collet::client {
namespace {

std::string_view view(collet_str text) { return {text.data ? text.data : "", text.data ? text.size : 0}; }

std::optional<std::string> optional(collet_str text) {
  if (!text.data) return std::nullopt;
  return std::string(text.data, text.size);
}

std::int32_t create(const collet_host* host, const collet_create_params* params, void** self) {
  try {
    ClientConfig config = read_config(params->config.data ? view(params->config) : "{}");
    if (!Host(host).suits()) {
      Host(host).log(COLLET_LOG_ERROR, "this host lacks " COLLET_EXT_RELAY);
      return COLLET_E_UNSUPPORTED;
    }
    if (params->flags & COLLET_CREATE_PROBE) config.remotes.clear();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const bool handed_over = params->prior_state.data && params->prior_state_version == kHandoverVersion;
    *self = new Client(host, std::move(config), read_handover(handed_over ? view(params->prior_state) : ""));
    return COLLET_OK;
  } catch (const std::exception& wrong) {
    Host(host).log(COLLET_LOG_ERROR, wrong.what());
    return COLLET_E_INVALID;
  }
}

void destroy(void* self) {
  delete static_cast<Client*>(self);
  curl_global_cleanup();
}

std::int32_t call(void* self, collet_call id, const collet_call_params* params) {
  try {
    IncomingCall call{.id = id,
                      .kind = params->kind,
                      .key = reinterpret_cast<std::uint64_t>(params->item_user),
                      .round = params->round,
                      .state_version = params->state_version,
                      .uri = {},
                      .arguments = optional(params->arguments),
                      .input_responses = std::string(view(params->input_responses)),
                      .state = std::string(view(params->state))};
    if (params->kind == COLLET_RESOURCE) call.uri = view(params->name);
    static_cast<Client*>(self)->call(std::move(call));
    return COLLET_OK;
  } catch (...) {
    return COLLET_E_INTERNAL;
  }
}

void cancel(void* self, collet_call id, std::uint32_t reason) {
  try {
    static_cast<Client*>(self)->cancel(id, reason);
  } catch (...) {
    // Want of memory: the call goes on until its remote answers.
  }
}

std::int32_t quiesce(void* self, std::uint32_t deadline_ms) {
  static_cast<Client*>(self)->quiesce(deadline_ms / 2);
  return COLLET_OK;
}

std::int32_t reconfigure(void* self, const char* json, std::size_t size) {
  auto& client = *static_cast<Client*>(self);
  if (client.logs_in()) return COLLET_E_UNSUPPORTED;
  try {
    client.reconfigure(read_config({json, size}));
    return COLLET_OK;
  } catch (const std::exception&) {
    return COLLET_E_INVALID;  // create() says what is wrong
  }
}

std::int32_t save(void* self, collet_state_write write, void* to) {
  try {
    bool first = true;
    for (const std::string& part : static_cast<Client*>(self)->handover()) {
      const std::string piece = (first ? "" : ",") + part;
      // What the host does not keep is asked for anew.
      if (write(to, piece.data(), piece.size()) == COLLET_OK) first = false;
    }
    return COLLET_OK;
  } catch (...) {
    return COLLET_E_INTERNAL;
  }
}

std::int32_t status(void* self, void (*take)(void*, const char*, std::size_t), void* context) {
  try {
    const std::string json = static_cast<Client*>(self)->status();
    take(context, json.data(), json.size());
    return COLLET_OK;
  } catch (...) {
    return COLLET_E_INTERNAL;
  }
}

void watch(void* self, const char* uri, std::size_t size, std::uint32_t watched) {
  try {
    static_cast<Client*>(self)->watch(std::string(uri, size), watched != 0);
  } catch (...) {
    // Want of memory: nobody hears of that resource.
  }
}

constexpr collet_reconfigure kReconfigure{sizeof(collet_reconfigure), 0, reconfigure};
constexpr collet_save_state kSaveState{sizeof(collet_save_state), kHandoverVersion, save};
constexpr collet_status kStatus{sizeof(collet_status), 0, status};
constexpr collet_watch kWatch{sizeof(collet_watch), 0, watch};

const void* get_extension(const char* id, std::size_t size) {
  const std::string_view name(id, size);
  if (name == COLLET_EXT_RECONFIGURE) return &kReconfigure;
  if (name == COLLET_EXT_SAVE_STATE) return &kSaveState;
  if (name == COLLET_EXT_STATUS) return &kStatus;
  return name == COLLET_EXT_WATCH ? &kWatch : nullptr;
}

const std::string& info() {
  static const std::string json = R"({"title":"Remote MCP servers","license":"Apache-2.0","configSchema":)" + schema_of_config() + "}";
  return json;
}

const collet_plugin& plugin() {
  static const collet_plugin table = {
      .struct_size = sizeof(collet_plugin),
      .abi_minor = COLLET_ABI_MINOR,
      .abi_minor_min = 0,
      .flags = COLLET_PLUGIN_CONCURRENT | COLLET_PLUGIN_NEVER_UNLOAD,  // libcurl's libraries stay for good
      .max_concurrency = 1,
      .reserved = 0,
      .id = COLLET_STR("org.collet.client"),
      .version = COLLET_STR("1.0.0"),
      .info = {info().data(), info().size()},
      .create = create,
      .destroy = destroy,
      .call = call,
      .cancel = cancel,
      .quiesce = quiesce,
      .get_extension = get_extension,
  };
  return table;
}

}  // namespace
}  // namespace collet::client

COLLET_IMPORTS_REMOTES;
extern "C" COLLET_EXPORT const collet_plugin* collet_plugin_entry_v1(void) { return &collet::client::plugin(); }
