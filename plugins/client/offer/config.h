// [remote.<name>] of collet.toml, as the host hands it over: JSON that it has checked key by key.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <collet/fields.hpp>

#include "client/limits.h"
#include "client/net/child.h"
#include "client/net/fetch.h"
#include "client/net/result.h"
#include "client/net/tls.h"

namespace collet::client {

struct ToolConfig {
  std::uint32_t timeout_ms = 0;

  static void describe(collet::Fields<ToolConfig>& f);
  bool operator==(const ToolConfig&) const = default;
};

// The keys of config/collet.toml, with its defaults.
struct RemoteConfig {
  std::string name;
  bool enabled = true;
  std::string transport = "auto";  // auto, stdio, http, sse
  std::string protocol = "auto";   // auto, or the one version to speak
  std::string url;
  std::string command;
  std::vector<std::string> args;
  std::map<std::string, std::string> env;
  std::string cwd;
  std::optional<std::vector<std::string>> inherit_env;  // patterns of the variables of ours that its command gets
  std::string ca;                                       // file: authorities that are trusted besides the usual ones
  std::string client_certificate;                       // file; client_key: likewise, if the key is not in it
  std::string client_key;
  std::optional<std::string> prefix;             // before names; "<name>__" if not set
  std::map<std::string, std::string> rename;     // the remote's names → final ones
  std::optional<std::vector<std::string>> only;  // patterns, see kit::is_like(); everything if not set
  std::vector<std::string> hide;                 // likewise
  std::string on_clash = "prefix";               // prefix, first, last, error
  std::map<std::string, std::string> headers;
  std::map<std::string, std::string> variables;
  std::vector<std::string> forward_headers;
  bool forward_token = false;
  std::uint32_t timeout_ms = 0;  // 0: the host's default
  std::map<std::string, ToolConfig> tools;
  std::uint32_t start_timeout_ms = 300'000;  // until it has answered the handshake
  std::uint32_t list_timeout_ms = 120'000;   // for each page of a list
  std::uint32_t restart_timeout_ms = limits::kRestartMs;  // that calls wait for it when it was up a moment ago
  bool strict = false;  // arguments are checked, and tools left out whose schemas cannot be read
  std::uint32_t drain_timeout_ms = 300'000;  // of calls under way when this is changed or taken out
  std::uint64_t refresh_ms = 0;              // 0: only when the remote says so
  std::string when_down = "fail";            // fail, hide
  bool instructions = true;                  // part of ours
  std::optional<collet::Json> auth;

  static void describe(collet::Fields<RemoteConfig>& f);
  bool operator==(const RemoteConfig&) const = default;

  // Whether an item that the remote calls so is to be seen: one of `only` fits, and none of `hide`.
  bool offers(std::string_view item) const;
  std::uint32_t timeout_of(const std::string& tool) const {
    const auto found = tools.find(tool);
    return found == tools.end() || found->second.timeout_ms == 0 ? timeout_ms : found->second.timeout_ms;
  }
};

// More than the compiler finds by itself.
COLLET_FIELDS(RemoteConfig, name, enabled, transport, protocol, url, command, args, env, cwd, inherit_env, ca,
              client_certificate, client_key, prefix, rename, only, hide, on_clash, headers,
              variables, forward_headers, forward_token, timeout_ms, tools, start_timeout_ms, list_timeout_ms,
              restart_timeout_ms, strict, drain_timeout_ms, refresh_ms, when_down, instructions, auth);

struct ClientConfig {
  std::vector<RemoteConfig> remotes;  // in the order of the file
  std::uint64_t name_bytes_max = 64;  // of a tool's final name
  std::string version = "0";          // of the host, as remotes are told
  // Of no file: "server"; "login", see client/remote/login.h; "terminal", where a person is to see what a child writes
  // to stderr.
  std::string used_by = "server";
  // What commands are run through: see client/net/keeper.h. Empty: nothing.
  std::vector<std::string> keeper;
  bool remembers = false;  // what the host keeps for us outlives its process

  static void describe(collet::Fields<ClientConfig>& f);
};

// Throws collet::Error that names the place.
ClientConfig read_config(std::string_view json);

// ${…} in a text of the configuration:
//   ${env:NAME}      of our environment; ${env:NAME:-other} if it may be missing
//   ${name}          of [remote.<name>.variables]
//   ${principal}     who calls; ${header:NAME}: what the caller's request says, if forward_headers lists it
// The last two are known only while a call runs.
struct CallerLookup {
  std::function<std::optional<std::string>(std::string_view key)> info;  // as collet_host.call_info; empty: no call
};
Result<std::string> expand(std::string_view text, const RemoteConfig& remote, const CallerLookup& caller = {});
// Whether a text can be expanded without a caller.
bool is_constant(std::string_view text);

// The headers of every request to the remote, whoever calls; a failure names the one that cannot be sent.
Result<std::vector<HttpHeader>> constant_headers(const RemoteConfig& remote);

// What those headers tell the remote, which its errors may repeat: credentials, for all we know.
std::vector<std::string> secrets_of(const std::vector<HttpHeader>& headers);
std::string without(std::string text, const std::vector<std::string>& secrets);

// Files of certificates as configured; a null pointer if there are none.
Result<TlsPtr> tls_of(const RemoteConfig& remote);

// The child to run; a failure names the variable that is missing.
Result<Command> command_of(const RemoteConfig& remote);

// The name under which a remote's tool or prompt is offered, before clashes are looked at. What clients do not
// accept is replaced, and what is too long gets a hash for an end, so that the name depends on nothing else.
std::string final_name(const RemoteConfig& remote, const std::string& name, std::size_t bytes_max);
std::string with_own_prefix(const RemoteConfig& remote, const std::string& name, std::size_t bytes_max);

}  // namespace collet::client
