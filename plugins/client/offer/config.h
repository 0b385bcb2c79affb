// What the host hands over: [remote.<name>] of collet.toml, as JSON that it has checked key by key, and what it says besides.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <collet/fields.hpp>

#include "client/net/child.h"
#include "client/net/fetch.h"
#include "client/net/result.h"
#include "client/net/tls.h"
#include "client/offer/remote_keys.h"

namespace collet::client {

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

// As JSON Schema.
std::string schema_of_config();
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
