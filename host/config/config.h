// What the user has set: one TOML file as plain structs whose names mirror its keys (config/collet.toml shows them
// all). A value is within its bounds here; what depends on the machine, such as whether a file exists, is found out
// by whoever opens it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/config_places.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/placement.h"
#include "base/result.h"
#include "registry/names.h"
#include "registry/view.h"
#include "transport/http.h"

namespace collet::config {

// [[server.token]]
struct Token {
  std::string name;  // the principal that it stands for
  std::string hash;  // see token.h
  std::string tenant;
  std::vector<std::string> scopes;
  std::string view;  // the name of a view; empty: that of the server

  bool operator==(const Token&) const = default;
};

// [server.tls]; both empty if there is none. Absolute paths.
struct Tls {
  std::string certificate;
  std::string key;

  bool operator==(const Tls&) const = default;
};

// [server.card]; empty if there is none.
struct Card {
  std::string name;  // "org.example/weather"
  std::string description;
  std::string url;  // without a path; empty: the first address of `listen`

  bool operator==(const Card&) const = default;
};

// [server.limits]
struct Limits {
  // Its fields are keys too, except body_bytes_max, which is message_bytes_max, and streamed_bytes_max, for which route_body_bytes_max stands.
  transport::HttpLimits http;
  std::size_t message_bytes_max = limits::kMessageBytesMax;
  std::size_t route_body_bytes_max = limits::kRouteBodyBytesMax;
  unsigned sessions_max = limits::kSessionsMax;
  std::uint64_t session_idle_timeout_ms = limits::kSessionIdleTimeoutMs;
  std::uint64_t input_timeout_ms = limits::kInputTimeoutMs;
  std::uint64_t task_ttl_ms = limits::kTaskTtlMs;
  unsigned page_items = limits::kPageItems;
  std::size_t tool_name_bytes_max = limits::kToolNameBytesMax;
  std::uint64_t schema_steps_max = limits::kSchemaFuel;
  std::uint64_t drain_timeout_ms = limits::kDrainTimeoutMs;
  std::uint64_t stdio_drain_timeout_ms = limits::kStdioDrainTimeoutMs;

  bool operator==(const Limits&) const = default;
};

// [server]
struct Server {
  std::vector<transport::Address> listen{{transport::Address::Scheme::http, "127.0.0.1", 8765}};
  std::string path = "/mcp";
  std::string sse_path = "/sse";  // empty: not served
  unsigned threads = 0;           // 0: one a core
  bool insecure = false;
  std::vector<std::string> allowed_hosts;    // beyond the loopback names and the listen addresses
  std::vector<std::string> allowed_origins;  // likewise
  std::string name = "collet";               // as clients see the server
  std::string title;
  std::string instructions;
  Tls tls;
  Card card;
  Limits limits;
  std::vector<Token> token;
  std::string view;  // of whoever has none of their own; empty: everything is seen
  std::string state_key_file;  // absolute path; empty: a key of this process alone

  bool operator==(const Server&) const = default;
};

// [log]
struct Log {
  log::Level level = log::Level::info;
  log::Format format = log::Format::text;
  bool calls = false;     // a line for each call that a plugin has run
  bool requests = false;  // and for each request of MCP

  bool operator==(const Log&) const = default;
};

// [plugin.<id>]
struct Plugin {
  std::string id;
  std::string library;  // absolute path; empty: the file of that stem in one of the folders
  bool enabled = true;
  Placement placement = Placement::automatic;
  Permissions permissions;    // in a worker
  bool inline_calls = true;   // `inline`: NONBLOCKING tools may run on the threads that serve
  registry::NameRules names;  // prefix, hide, rename
  std::uint32_t timeout_ms = limits::kCallTimeoutMs;                // that of [plugins] unless set
  std::uint64_t drain_timeout_ms = limits::kPluginDrainTimeoutMs;   // for its calls, when it is replaced
  std::map<std::string, std::uint32_t, std::less<>> tool_timeouts;  // tools.<name>.timeout_ms; provider's name
  std::string config = "{}";  // JSON text of an object; "${config_dir}" is replaced by the file's folder
  ConfigPlaces config_places;  // where that stands

  bool operator==(const Plugin&) const = default;
};

// [remote.<name>]: an MCP server to import from.
struct Remote {
  std::string name;
  std::string json;  // the table as it stands in the file, checked, with its name: what the plugin is given
  std::vector<std::string> caller_headers;  // of a caller's request, for the remote; forward_token is one

  bool operator==(const Remote&) const = default;
};

// What has plugins replaced while the server runs, beside `collet reload`.
enum class Reload : std::uint8_t {
  off,     // nothing
  signal,  // SIGHUP
  watch,   // SIGHUP, and files that change
};

// [plugins]
struct Plugins {
  std::vector<std::string> paths;  // folders, absolute
  Reload reload = Reload::signal;
  std::uint32_t timeout_ms = limits::kCallTimeoutMs;
  std::uint64_t create_timeout_ms = limits::kCreateTimeoutMs;
  bool debug = false;                     // what the host refuses of plugins is said in the log
  bool allow_writable_by_others = false;  // files of plugins, and their folders
  std::string cgroup = "auto";            // a folder of cgroup v2, absolute; "auto": the one delegated to us; "off"

  bool operator==(const Plugins&) const = default;
};

// [fetch]: HTTP as a client
struct Fetch {
  std::string ca;  // of authorities, PEM, absolute path; empty: the system's

  bool operator==(const Fetch&) const = default;
};

// [store]: what is kept: by plugins, and of sessions and tasks
struct Store {
  std::string file;  // of SQLite, absolute path; empty: in memory

  bool operator==(const Store&) const = default;
};

// [admin]
struct Admin {
  std::string socket;  // absolute path; empty: see service/admin.h

  bool operator==(const Admin&) const = default;
};

struct Config {
  Server server;
  std::map<std::string, registry::ViewRules, std::less<>> view;  // [view.<name>]; each one that is named is there
  Admin admin;
  Log log;
  Plugins plugins;
  Fetch fetch;
  Store store;
  std::vector<Plugin> plugin;  // in the order of the file, which decides clashes of names
  std::vector<Remote> remote;  // likewise
  std::string remotes_used_by = "server";  // of no file: that, "login" or "terminal", as the plugin that imports from them is told

  // Without a file: every plugin of that folder, on loopback.
  static Config defaults(const std::filesystem::path& plugin_folder);

  bool operator==(const Config&) const = default;
};

// Reads a file. Relative paths in it start from its folder. The message of a failure has a line
// `file:line:column: what is wrong and what would be right` for each thing that is wrong.
Result<Config> load(const std::filesystem::path& file);
// The same of a text that stands in `file`, or is to.
Result<Config> parse(std::string_view text, const std::filesystem::path& file);

// All of a config file, ours or another program's.
Result<std::string> read_file(const std::filesystem::path& file, std::size_t bytes_max);

// Whether it is safe and possible to listen as configured, which a command line may have changed since load():
// beyond loopback only with tokens or server.insecure, https only with a certificate.
Result<void> check_listen(const Server& server);

}  // namespace collet::config
