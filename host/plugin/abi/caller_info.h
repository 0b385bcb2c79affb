// What is known of a caller, copied: for one who may outlive the call, or is in another process.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "registry/item.h"

namespace collet::plugin {

class CallerInfo {
 public:
  // The keys of collet_host.call_info that are copied, but for the headers one by one, which are in "headers".
  static constexpr std::string_view kKeys[] = {"protocolVersion",    "era",      "transport",
                                               "principal",          "session",  "clientInfo",
                                               "clientCapabilities", "logLevel", mcp::kMeta,
                                               "headers",            "tenant",   "scopes"};

  // `ask(key)` says what is known, or nothing.
  template <class Ask>
  static CallerInfo copy(Ask&& ask) {
    CallerInfo out;
    for (const std::string_view key : kKeys) {
      if (const std::optional<std::string_view> value = ask(key)) out.add(key, *value);
    }
    return out;
  }

  // `key` outlives this.
  void add(std::string_view key, std::string_view value) { known_.emplace_back(key, value); }
  // Any thread, once all was added. As registry::Listener::info().
  std::optional<std::string_view> find(std::string_view key) const;

 private:
  std::optional<std::string_view> header(std::string_view name) const;

  std::vector<std::pair<std::string_view, std::string>> known_;
  // Of "headers", once one was asked for.
  struct Headers {
    std::mutex mutex;
    std::optional<std::vector<std::pair<std::string, std::string>>> all;  // guarded by it
  };
  std::unique_ptr<Headers> headers_ = std::make_unique<Headers>();
};

}  // namespace collet::plugin
