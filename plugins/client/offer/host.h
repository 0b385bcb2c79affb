// The host as this plugin sees it: its C table, with C++ types. Any thread.
#pragma once

#include <collet/ext/draft/store.h>
#include <collet/ext/instructions.h>
#include <collet/ext/relay.h>
#include <collet/ext/status.h>
#include <collet/plugin.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <collet/json.hpp>

#include "client/mcp/message.h"
#include "client/net/loop.h"
#include "client/net/url.h"
#include "client/offer/definition_cache.h"
#include "client/offer/host_loops.h"

namespace collet::client {

class Host {
 public:
  // Of a host that lacks the relay not much is to be had: see suits().
  explicit Host(const collet_host* table)
      : table_(table),
        relay_(extension<collet_relay>(COLLET_EXT_RELAY)),
        instructions_(extension<collet_instructions>(COLLET_EXT_INSTRUCTIONS)),
        status_(extension<collet_status_watch>(COLLET_EXT_STATUS)) {}

  bool suits() const { return relay_ != nullptr; }
  // Its loops, if they do our work, too.
  std::optional<HostLoops> loops() const {
    const auto* functions = extension<collet_loop>(COLLET_EXT_LOOP);
    return functions ? std::optional(HostLoops(table_, functions)) : std::nullopt;
  }

  // What it keeps for us; nothing: it keeps nothing.
  std::unique_ptr<DefinitionCache> definitions(Loop& loop) const {
    const auto* store = extension<collet_store>(COLLET_EXT_STORE);
    if (!store) return std::make_unique<NoDefinitions>(loop);
    return std::make_unique<HostDefinitions>(loop, table_, store);
  }

  // `level` is a COLLET_LOG_*; call 0: of no call. What URLs in the text keep secret stays so.
  void log(std::uint32_t level, std::string_view text) const {
    std::string data;
    append_json(data, redact_urls(text));
    log(0, level, {}, data);
  }
  void log(collet_call call, std::uint32_t level, std::string_view logger, std::string_view data) const {
    table_->log(table_, call, level, logger.data(), logger.size(), data.data(), data.size());
  }

  std::int32_t add(const collet_item_def& def, collet_item* out) const {
    return table_->item_add(table_, &def, out);
  }
  void remove(collet_item item) const { table_->item_remove(table_, item); }
  void commit() const { table_->items_commit(table_); }
  // COLLET_OK also where the host has no use for them.
  std::int32_t set_instructions(std::string_view text) const {
    return instructions_ ? instructions_->set_instructions(table_, text.data(), text.size()) : COLLET_OK;
  }
  void resource_updated(std::string_view uri) const { table_->resource_updated(table_, uri.data(), uri.size()); }

  // What the plugin's status() says has changed.
  void status_changed() const {
    if (status_) status_->changed(table_);
  }

  std::optional<std::string> info(collet_call call, std::string_view key) const {
    collet_str out = {};
    if (table_->call_info(table_, call, key.data(), key.size(), &out) != COLLET_OK || !out.data)
      return std::nullopt;
    return std::string(out.data, out.size);
  }

  void complete_with(collet_call call, std::string_view result) const {
    relay_->complete_with(table_, call, result.data(), result.size());
  }
  void fail(collet_call call, int code, std::string_view message, std::string_view data = {}) const {
    const std::string text = to_utf8(message);  // it may quote what somebody has sent
    table_->fail(table_, call, code, text.data(), text.size(), data.empty() ? nullptr : data.data(), data.size());
  }
  bool need_input(collet_call call, std::string_view key, std::string_view request) const {
    return table_->need_input(table_, call, key.data(), key.size(), request.data(), request.size()) == COLLET_OK;
  }
  void suspend(collet_call call, std::string_view state, std::uint32_t version) const {
    table_->suspend(table_, call, state.data(), state.size(), version);
  }
  void progress(collet_call call, double done, double total, std::string_view message) const {
    table_->progress(table_, call, done, total, message.data(), message.size());
  }

 private:
  template <class Extension>
  const Extension* extension(std::string_view id) const {
    return static_cast<const Extension*>(table_->get_extension(table_, id.data(), id.size()));
  }

  const collet_host* table_;
  const collet_relay* relay_;
  const collet_instructions* instructions_;
  const collet_status_watch* status_;
};

}  // namespace collet::client
