// The keys of [remote.<name>] in collet.toml: their names, types, defaults, bounds and what they mean, here and nowhere else. The
// plugin reads them as they stand here (read_config()), and the host by the schema that is made of them (schema_of_remote()).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <collet/fields.hpp>

#include "client/limits.h"

namespace collet::client {

struct ToolConfig {
  std::optional<std::uint32_t> timeout_ms;

  static void describe(collet::Fields<ToolConfig>& f);
  bool operator==(const ToolConfig&) const = default;
};
COLLET_FIELDS(ToolConfig, timeout_ms);

// describe() says what each means.
struct RemoteConfig {
  std::string name;  // of the table
  bool enabled = true;
  std::string transport = "auto";
  std::string protocol = "auto";
  std::string url;
  std::string command;
  std::vector<std::string> args;
  std::map<std::string, std::string> env;
  std::string cwd;
  std::optional<std::vector<std::string>> inherit_env;
  std::string ca;
  std::string client_certificate;
  std::string client_key;
  std::optional<std::string> prefix;
  std::map<std::string, std::string> rename;
  std::optional<std::vector<std::string>> only;
  std::vector<std::string> hide;
  std::string on_clash = "prefix";
  std::map<std::string, std::string> headers;
  std::map<std::string, std::string> variables;
  std::vector<std::string> forward_headers;
  bool forward_token = false;
  std::optional<std::uint32_t> timeout_ms;
  std::map<std::string, ToolConfig> tools;
  std::uint32_t start_timeout_ms = 300'000;
  std::uint32_t list_timeout_ms = 120'000;
  std::uint32_t restart_timeout_ms = limits::kRestartMs;
  bool strict = false;
  std::uint32_t drain_timeout_ms = 300'000;
  std::uint64_t refresh_ms = 0;
  std::string when_down = "fail";
  bool instructions = true;
  std::optional<collet::Json> auth;

  static void describe(collet::Fields<RemoteConfig>& f);
  bool operator==(const RemoteConfig&) const = default;

  // Whether an item that the remote calls so is to be seen: one of `only` fits, and none of `hide`.
  bool offers(std::string_view item) const;
  // 0: the host's default.
  std::uint32_t timeout_of(const std::string& tool) const {
    const auto found = tools.find(tool);
    return (found == tools.end() ? std::nullopt : found->second.timeout_ms).value_or(timeout_ms.value_or(0));
  }
};

// More than the compiler finds by itself.
COLLET_FIELDS(RemoteConfig, name, enabled, transport, protocol, url, command, args, env, cwd, inherit_env, ca,
              client_certificate, client_key, prefix, rename, only, hide, on_clash, headers,
              variables, forward_headers, forward_token, timeout_ms, tools, start_timeout_ms, list_timeout_ms,
              restart_timeout_ms, strict, drain_timeout_ms, refresh_ms, when_down, instructions, auth);

// Throws collet::Error that names the place: a word that no key has, or not one address.
void check(const RemoteConfig& remote);

// What the host checks a table of the configuration by, as JSON Schema. "name" is the host's to say.
std::string schema_of_remote();
// Of that schema, what holds for the keys together, as members of a schema.
extern const std::string_view kOneAddress;

}  // namespace collet::client
