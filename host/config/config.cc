#include "config/config.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <variant>

#include "base/json_pointer.h"
#include "base/text.h"
#include "config/remote_keys.h"
#include "config/section.h"
#include "config/stated_keys.h"
#include "config/text_rule.h"
#include "config/token.h"

namespace collet::config {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kKiB = 1u << 10;
constexpr std::uint64_t kMiB = 1u << 20;
constexpr std::uint64_t kGiB = 1u << 30;

const TextRule kCgroup{"\"auto\", \"off\" or an absolute path", [](std::string_view text) {
                         return text == "auto" || text == "off" || text.starts_with('/');
                       }};
const TextRule kUrlPath{R"(a path that starts with "/", without "?", "#" and blanks)", [](std::string_view text) {
                          return !text.empty() && text[0] == '/' && all_of(text, "/-._~%!$&'()*+,;=:@");
                        }};

const TextRule kUrlPathOrNone{R"(a path that starts with "/", without "?", "#" and blanks, or "" for none)",
                              [](std::string_view text) { return text.empty() || kUrlPath.holds(text); }};

const TextRule kHost{R"(a host or host:port, such as "mcp.example.org")",
                     [](std::string_view text) { return !text.empty() && all_of(text, "-.:[]_"); }};

const TextRule kOrigin{R"(an origin, such as "https://app.example.org")", [](std::string_view text) {
                         const std::size_t end = text.find("://");
                         return end != std::string_view::npos && end > 0 && all_of(text.substr(0, end), "+-.") &&
                                kHost.holds(text.substr(end + 3));
                       }};

// SEP-2127, ServerCard.
const TextRule kCardName{
    R"(a reversed domain, "/" and a name, such as "org.example/weather")", [](std::string_view text) {
      const std::size_t slash = text.find('/');
      return slash != std::string_view::npos && slash > 0 && text.size() > slash + 1 && text.size() <= 200 &&
             all_of(text.substr(0, slash), ".-") && all_of(text.substr(slash + 1), "._-");
    }};

const TextRule kCardDescription{"1 to 100 bytes of text",
                                [](std::string_view text) { return !text.empty() && text.size() <= 100; }};

const TextRule kPrincipal{kPrincipalMustBe, is_principal};

// RFC 6749 §3.3.
const TextRule kScope{"a word of printable ASCII without blanks, quotes and backslashes", [](std::string_view text) {
                        return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
                          return c > ' ' && c < '\x7f' && c != '"' && c != '\\';
                        });
                      }};

const TextRule kTokenHash{R"("sha256:" and 64 hexadecimal digits, as "collet token" prints it)", is_token_hash,
                          true};

const TextRule kHostAndPort{R"(a host and its port, as "api.example.com:443")", [](std::string_view text) {
                              return collet::text::split_host_and_port(text).has_value();
                            }};

const TextRule kStreams{R"(a plugin's id and a stream of its, as "audit/calls", in which * stands for any text)",
                        [](std::string_view text) {
                          const std::size_t slash = text.find('/');
                          return slash != std::string_view::npos && slash > 0 && slash + 1 < text.size();
                        }};

const TextRule kVariable{"the name of an environment variable",
                         [](std::string_view text) { return !text.empty() && all_of(text, "_"); }};

constexpr Word<Placement> kPlacements[] = {
    {"auto", Placement::automatic}, {"in-process", Placement::in_process}, {"worker", Placement::worker}};

constexpr Word<log::Level> kLevels[] = {
    {"trace", log::Level::trace},     {"debug", log::Level::debug}, {"info", log::Level::info},
    {"warning", log::Level::warning}, {"error", log::Level::error}, {"off", log::Level::off},
};

constexpr Word<Reload> kReloads[] = {{"off", Reload::off}, {"signal", Reload::signal}, {"watch", Reload::watch}};

constexpr Word<log::Format> kFormats[] = {{"text", log::Format::text}, {"json", log::Format::json}};

// What the host knows of a remote's keys itself: it adds the name, and has callers' headers kept for the plugin. All others, and how
// these are to be, are the plugin's to say (remote_keys.h).
constexpr std::string_view kRemoteName = "name";
constexpr std::string_view kForwardHeaders = "forward_headers";
constexpr std::string_view kForwardToken = "forward_token";

// What is wrong with them has been noted.
std::vector<std::string> caller_headers_of(const Value& remote) {
  Problems noted;
  Section section(noted, "", remote);
  std::vector<std::string> headers;
  bool token = false;
  section.read(kForwardHeaders, headers);
  section.read(kForwardToken, token);
  if (token) headers.push_back("authorization");
  return headers;
}

ConfigPlaces::Place place_of(Position at) { return {at.line, at.column}; }

// Of all that `value` holds, which is what the pointer leads to.
void add_places(ConfigPlaces& places, const std::string& pointer, const Value& value) {
  for (const Value::Member& member : value.members) {
    std::string inner = pointer;
    json::append_pointer_token(inner, member.key);
    places.add(inner, place_of(member.at), place_of(member.value.at));
    add_places(places, inner, member.value);
  }
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    const std::string inner = fmt::format("{}/{}", pointer, i);
    places.add(inner, place_of(value.items[i].at), place_of(value.items[i].at));
    add_places(places, inner, value.items[i]);
  }
}

// Reads one document, that of `file`.
class Reader {
 public:
  Reader(const fs::path& file, Problems& problems)
      : file_(file.string()), folder_(fs::absolute(file).lexically_normal().parent_path()), problems_(problems) {}

  Config read(const Value& document) {
    Config config;
    Section root(problems_, "", document);
    Section server = root.section("server");
    Section views = root.section("view");  // which others name
    for (const Value::Member& member : views.members()) read_view(views, member, config);
    read_server(std::move(server), config);
    read_admin(root.section("admin"), config.admin);
    read_log(root.section("log"), config.log);
    read_plugins(root.section("plugins"), config.plugins);
    read_fetch(root.section("fetch"), config.fetch);
    read_store(root.section("store"), config.store);
    Section plugins = root.section("plugin");
    for (const Value::Member& member : plugins.members()) {
      config.plugin.push_back(read_plugin(plugins, member, config.plugins));
    }
    Section remotes = root.section("remote");
    for (const Value::Member& member : remotes.members()) config.remote.push_back(read_remote(remotes, member));
    root.finish();
    return config;
  }

 private:
  void read_view(Section& views, const Value::Member& member, Config& config) {
    if (!kName.holds(member.key)) {
      problems_.add(member.at, "{}: a view's name must be {}", views.name_of(member.key), kName.must_be);
    }
    Section section = views.section(member);
    registry::ViewRules& rules = config.view[member.key];
    read_rules(section, "allow", rules.allow);
    read_rules(section, "deny", rules.deny);
    read_rules(section, "unlisted", rules.unlisted);
    section.finish();
  }

  void read_rules(Section& section, std::string_view key, std::vector<std::string>& rules) {
    section.read(key, rules, kAnyText);
    for (const std::string& rule : rules) {
      if (const auto mistake = registry::find_mistake(rule)) {
        problems_.add(section.at_of(key), "{}: {} is no rule: {}", section.name_of(key), in_quotes(rule), *mistake);
      }
    }
  }

  void read_view_name(Section& section, const Config& config, std::string& view) {
    section.read("view", view, kAnyText);
    if (!view.empty() && !config.view.contains(view)) {
      problems_.add(section.at_of("view"), "{}: there is no [view.{}]", section.name_of("view"), view);
    }
  }

  void read_server(Section section, Config& config) {
    Server& server = config.server;
    read_listen(section, server.listen);
    section.read("path", server.path, kUrlPath);
    section.read("sse_path", server.sse_path, kUrlPathOrNone);
    if (server.path == server.sse_path) {
      problems_.add(section.at_of(section.has("sse_path") ? "sse_path" : "path"),
                    "{} and {} are both {}: set another sse_path, or \"\" for none", section.name_of("path"),
                    section.name_of("sse_path"), in_quotes(server.path));
    }
    section.read("threads", server.threads, 0, limits::kThreadsMax);
    section.read("insecure", server.insecure);
    section.read("allowed_hosts", server.allowed_hosts, kHost);
    section.read("allowed_origins", server.allowed_origins, kOrigin);
    section.read("name", server.name, kSomeText);
    section.read("title", server.title);
    section.read("instructions", server.instructions);
    read_tls(section.section("tls"), server.tls);
    read_card(section.section("card"), server.card);
    read_limits(section.section("limits"), server.limits);
    read_view_name(section, config, server.view);
    read_path(section, "state_key_file", server.state_key_file);
    read_tokens(section, config);
    section.finish();
  }

  void read_listen(Section& section, std::vector<transport::Address>& listen) {
    const Value* urls = section.find("listen", Value::Type::array);
    if (!urls) return;
    listen.clear();
    if (urls->items.empty()) problems_.add(urls->at, "{} must name an address", section.name_of("listen"));
    for (const Value& url : urls->items) {
      Result<transport::Address> address = transport::Address::parse(url.text);
      if (url.type != Value::Type::string) {
        problems_.add(url.at, "each of {} must be a string, not {}", section.name_of("listen"),
                      type_name(url.type));
      } else if (!address) {
        problems_.add(url.at, "{}: {}", section.name_of("listen"), address.message());
      } else {
        listen.push_back(std::move(*address));
      }
    }
  }

  void read_tls(Section section, Tls& tls) {
    if (section.has("certificate") || section.has("key")) {
      section.require("certificate");
      section.require("key");
    }
    read_path(section, "certificate", tls.certificate);
    read_path(section, "key", tls.key);
    section.finish();
  }

  void read_card(Section section, Card& card) {
    if (section.has("name") || section.has("description") || section.has("url")) {
      section.require("name");
      section.require("description");
    }
    section.read("name", card.name, kCardName);
    section.read("description", card.description, kCardDescription);
    section.read("url", card.url, kOrigin);
    section.finish();
  }

  void read_limits(Section section, Limits& limits) {
    transport::HttpLimits& http = limits.http;
    section.read("message_bytes_max", limits.message_bytes_max, kKiB, kGiB);
    section.read("route_body_bytes_max", limits.route_body_bytes_max, kKiB, 1'024 * kGiB);
    section.read("header_bytes_max", http.header_bytes_max, kKiB, kMiB);
    section.read("header_count_max", http.header_count_max, 16, 10'000);
    section.read("connections_max", http.connections_max, 1, 1'000'000);
    section.read("header_timeout_ms", http.header_timeout_ms, 1, limits::kTimeoutMsMax);
    section.read("body_timeout_ms", http.body_timeout_ms, 1, limits::kTimeoutMsMax);
    section.read("idle_timeout_ms", http.idle_timeout_ms, 1, limits::kTimeoutMsMax);
    section.read("keep_alive_comment_ms", http.keep_alive_comment_ms, 1, limits::kTimeoutMsMax);
    section.read("write_buffer_bytes_max", http.write_buffer_bytes_max, 64 * kKiB, kGiB);
    section.read("sessions_max", limits.sessions_max, 1, 1'000'000);
    section.read("session_idle_timeout_ms", limits.session_idle_timeout_ms, 1, limits::kTimeoutMsMax);
    section.read("input_timeout_ms", limits.input_timeout_ms, 1, limits::kTimeoutMsMax);
    section.read("task_ttl_ms", limits.task_ttl_ms, 1, limits::kTimeoutMsMax);
    section.read("page_items", limits.page_items, 1, 10'000);
    section.read("tool_name_bytes_max", limits.tool_name_bytes_max, 1, 128);
    section.read("schema_steps_max", limits.schema_steps_max, 1'000, 1'000'000'000);
    section.read("drain_timeout_ms", limits.drain_timeout_ms, 0, limits::kTimeoutMsMax);
    section.read("stdio_drain_timeout_ms", limits.stdio_drain_timeout_ms, 0, limits::kTimeoutMsMax);
    section.read("memory_bytes_max", http.memory_bytes_max, kMiB, 1'024 * kGiB);
    // A client may have half of it, and a message is here three times: as it came, copied, and as values.
    const std::size_t needed = 2 * (3 * limits.message_bytes_max + http.header_bytes_max);
    if (http.memory_bytes_max < needed) {
      problems_.add(section.at_of(section.has("memory_bytes_max") ? "memory_bytes_max" : "message_bytes_max"),
                    "{} is {}: with {} = {} and {} = {} it takes {} at least", section.name_of("memory_bytes_max"),
                    http.memory_bytes_max, section.name_of("message_bytes_max"), limits.message_bytes_max,
                    section.name_of("header_bytes_max"), http.header_bytes_max, needed);
    }
    section.finish();
    http.body_bytes_max = limits.message_bytes_max;
  }

  void read_tokens(Section& server, Config& config) {
    std::vector<Token>& tokens = config.server.token;
    for (Section& section : server.sections("token")) {
      Token token;
      section.require("name");
      section.require("hash");
      section.read("name", token.name, kPrincipal);
      section.read("hash", token.hash, kTokenHash);
      section.read("tenant", token.tenant, kPrincipal);
      section.read("scopes", token.scopes, kScope);
      read_view_name(section, config, token.view);
      section.finish();
      const auto same_name = [&](const Token& other) { return !token.name.empty() && other.name == token.name; };
      if (std::any_of(tokens.begin(), tokens.end(), same_name)) {
        problems_.add(section.at(), "{}: another token has the name {} already", section.name_of("name"),
                      in_quotes(token.name));
      }
      tokens.push_back(std::move(token));
    }
  }

  void read_admin(Section section, Admin& admin) {
    read_path(section, "socket", admin.socket);
    section.finish();
  }

  void read_log(Section section, Log& log) {
    section.read("level", log.level, kLevels);
    section.read("format", log.format, kFormats);
    section.read("calls", log.calls);
    section.read("requests", log.requests);
    section.finish();
  }

  void read_plugins(Section section, Plugins& plugins) {
    section.read("paths", plugins.paths, kPath);
    for (std::string& path : plugins.paths) path = absolute(path);
    section.read("reload", plugins.reload, kReloads);
    section.read("timeout_ms", plugins.timeout_ms, 1, limits::kTimeoutMsMax);
    section.read("create_timeout_ms", plugins.create_timeout_ms, 1, limits::kTimeoutMsMax);
    section.read("debug", plugins.debug);
    section.read("allow_writable_by_others", plugins.allow_writable_by_others);
    section.read("cgroup", plugins.cgroup, kCgroup);
    section.finish();
  }

  void read_fetch(Section section, Fetch& fetch) {
    read_path(section, "ca", fetch.ca);
    section.finish();
  }

  void read_store(Section section, Store& store) {
    read_path(section, "file", store.file);
    section.finish();
  }

  Plugin read_plugin(Section& plugins, const Value::Member& member, const Plugins& for_all) {
    Plugin plugin;
    plugin.id = member.key;
    plugin.timeout_ms = for_all.timeout_ms;
    if (!kName.holds(plugin.id)) {
      problems_.add(member.at, "{}: a plugin's id must be {}", plugins.name_of(member.key), kName.must_be);
    }
    Section section = plugins.section(member);
    read_path(section, "library", plugin.library);
    section.read("enabled", plugin.enabled);
    section.read("inline", plugin.inline_calls);
    section.read("placement", plugin.placement, kPlacements);
    section.read("require_sandbox", plugin.permissions.require_sandbox);
    read_permissions(section.section("permissions"), plugin.permissions);
    section.read("prefix", plugin.names.prefix, kNamePart);
    section.read("timeout_ms", plugin.timeout_ms, 1, limits::kTimeoutMsMax);
    section.read("drain_timeout_ms", plugin.drain_timeout_ms, 0, limits::kTimeoutMsMax);
    section.read("hide", plugin.names.hide, kSomeText);
    read_rename(section.section("rename"), plugin.names.rename);
    read_tools(section.section("tools"), plugin.tool_timeouts);
    plugin.config_places = ConfigPlaces(section.name_of("config"), file_);
    plugin.config_places.add("", place_of(section.at()), place_of(section.at_of("config")));
    if (const Value* config = section.find("config", Value::Type::table)) {
      plugin.config.clear();
      append_json(plugin.config, for_plugin(section.name_of("config"), *config));
      add_places(plugin.config_places, "", *config);
    }
    section.finish();
    return plugin;
  }

  void read_permissions(Section section, Permissions& may) {
    section.read("read", may.read, kPath);
    section.read("write", may.write, kPath);
    section.read("unix", may.unix_sockets, kPath);
    for (auto* paths : {&may.read, &may.write, &may.unix_sockets}) {
      for (std::string& path : *paths) path = absolute(path);
    }
    for (const std::string& socket : may.unix_sockets) {
      for (const std::string& written : may.write) {
        if (socket != written && !socket.starts_with(written.ends_with('/') ? written : written + '/')) continue;
        problems_.add(section.at_of("unix"), "{}: {} lies in {}, which may be written: another socket could be put in its place",
                      section.name_of("unix"), in_quotes(socket), in_quotes(written));
      }
    }
    section.read_flag_or_list("network", may.network, may.hosts, kHostAndPort);
    section.read("exec", may.exec);
    read_rules(section, "items", may.items);
    section.read("events", may.events, kStreams);
    section.read("environment", may.environment, kVariable);
    section.read("memory_bytes_max", may.memory_bytes_max, 0, limits::kWorkerMemoryBytesMaxMax);
    section.read("threads_max", may.threads_max, 1, 100'000);
    section.read("files_max", may.files_max, 16, 1'000'000);
    section.read("file_bytes_max", may.file_bytes_max, 0, limits::kWorkerMemoryBytesMaxMax);
    section.read("disk_bytes_max", may.disk_bytes_max, 0, limits::kWorkerMemoryBytesMaxMax);
    section.read("cpu_seconds_max", may.cpu_seconds_max, 0, limits::kTimeoutMsMax / 1000);
    section.finish();
  }

  void read_rename(Section section, std::map<std::string, std::string>& rename) {
    for (const Value::Member& member : section.members()) section.read(member, rename[member.key], kName);
  }

  void read_tools(Section tools, std::map<std::string, std::uint32_t, std::less<>>& timeouts) {
    for (const Value::Member& member : tools.members()) {
      Section section = tools.section(member);
      std::uint32_t timeout_ms = 0;
      section.read("timeout_ms", timeout_ms, 1, limits::kTimeoutMsMax);
      if (timeout_ms != 0) timeouts.emplace(member.key, timeout_ms);
      section.finish();
    }
  }

  Remote read_remote(Section& remotes, const Value::Member& member) {
    Remote remote;
    remote.name = member.key;
    if (!kName.holds(remote.name)) {
      problems_.add(member.at, "{}: a remote's name must be {}", remotes.name_of(member.key), kName.must_be);
    }
    Section section = remotes.section(member);
    if (member.value.type != Value::Type::table) return remote;
    remote_keys_.check(section);
    remote.caller_headers = caller_headers_of(member.value);
    Value table = for_plugin(remotes.name_of(member.key), member.value);
    for (Value::Member& key : table.members) {
      if (remote_keys_.is_file(key.key) && !key.value.text.starts_with("${")) key.value.text = absolute(key.value.text);
    }
    Value name;
    name.type = Value::Type::string;
    name.text = remote.name;
    table.members.insert(table.members.begin(), {std::string(kRemoteName), member.at, std::move(name)});
    append_json(remote.json, table);
    return remote;
  }

  // Plugins cannot know which file their config came from, nor we which of its strings are paths.
  Value for_plugin(const std::string& name, Value value) {
    constexpr std::string_view kFolder = "${config_dir}";
    if (value.type == Value::Type::number && !std::isfinite(value.number)) {
      problems_.add(value.at, "{} must not hold an infinity or NaN: plugins get it as JSON", name);
    }
    const std::string folder = folder_.string();
    for (std::size_t at = 0; (at = value.text.find(kFolder, at)) != std::string::npos; at += folder.size()) {
      value.text.replace(at, kFolder.size(), folder);
    }
    for (Value& item : value.items) item = for_plugin(name, std::move(item));
    for (Value::Member& member : value.members) member.value = for_plugin(name, std::move(member.value));
    return value;
  }

  void read_path(Section& section, std::string_view key, std::string& to) {
    section.read(key, to, kPath);
    if (!to.empty()) to = absolute(to);
  }

  std::string absolute(const std::string& path) const { return (folder_ / path).lexically_normal().string(); }

  const std::string file_;
  const fs::path folder_;  // where relative paths start
  Problems& problems_;
  const StatedKeys remote_keys_{kRemoteKeys, kRemoteName};
};

}  // namespace

Result<std::string> read_file(const fs::path& file, std::size_t bytes_max) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(std::fopen(file.c_str(), "rb"), std::fclose);
  if (!in) return error("cannot open the config file {}: {}", file.string(), std::strerror(errno));
  constexpr std::size_t kPiece = 16u << 10;
  std::string text;
  for (std::size_t read = 1; read > 0 && text.size() <= bytes_max;) {
    const std::size_t before = text.size();
    text.resize(before + std::min(kPiece, bytes_max + 1 - before));
    read = std::fread(text.data() + before, 1, text.size() - before, in.get());
    text.resize(before + read);
  }
  if (std::ferror(in.get())) {
    return error("cannot read the config file {}: {}", file.string(), std::strerror(errno));
  }
  if (text.size() > bytes_max) {
    return error("cannot read the config file {}: it has more than {} bytes", file.string(), bytes_max);
  }
  return text;
}

Config Config::defaults(const fs::path& plugin_folder) {
  Config config;
  config.plugins.paths.push_back(fs::absolute(plugin_folder).lexically_normal().string());
  return config;
}

Result<Config> load(const fs::path& file) {
  const Result<std::string> text = read_file(file, limits::kConfigBytesMax);
  return text ? parse(*text, file) : text.failure();
}

Result<Config> parse(std::string_view text, const fs::path& file) {
  Problems problems;
  std::variant<Value, Problem> document = parse_document(text);
  if (const Problem* syntax = std::get_if<Problem>(&document)) {
    problems.add(syntax->at, "{}", syntax->message);
    return Error{problems.text(file.string())};
  }
  Config config = Reader(file, problems).read(std::get<Value>(document));
  if (!problems.empty()) return Error{problems.text(file.string())};
  return config;
}

Result<void> check_listen(const Server& server) {
  for (const transport::Address& address : server.listen) {
    if (address.scheme == transport::Address::Scheme::https && server.tls.certificate.empty()) {
      return error("cannot listen on {}: set certificate and key in [server.tls]", address.url());
    }
    if (!address.is_loopback() && server.token.empty() && !server.insecure) {
      return error(
          "refusing to listen on {}, beyond this machine, without authentication: add a [[server.token]] "
          "(\"collet token\" makes one), or set server.insecure = true if something else protects it",
          address.url());
    }
  }
  return {};
}

}  // namespace collet::config
