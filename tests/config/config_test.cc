#include "config/config.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/json.h"
#include "config/remote_keys.h"
#include "support/catch.h"
#include "support/contents.h"

using namespace collet;
using test::contents;
namespace fs = std::filesystem;

namespace {

const fs::path kSource = COLLET_SOURCE_DIR;

// A file of that text in a folder of its own, until the end of the test.
class ConfigFile {
 public:
  explicit ConfigFile(std::string_view text) {
    std::string folder = (fs::temp_directory_path() / "collet-config-XXXXXX").string();
    REQUIRE(mkdtemp(folder.data()));
    folder_ = folder;
    std::ofstream(path(), std::ios::binary) << text;
  }
  ~ConfigFile() { fs::remove_all(folder_); }

  fs::path folder() const { return folder_; }
  fs::path path() const { return folder_ / "c.toml"; }

 private:
  fs::path folder_;
};

config::Config loaded(std::string_view text) {
  const ConfigFile file(text);
  Result<config::Config> result = config::load(file.path());
  INFO((result ? "" : result.message()));
  REQUIRE(result.ok());
  return *std::move(result);
}

// The message without the path of the file.
std::string refusal(std::string_view text) {
  const ConfigFile file(text);
  const Result<config::Config> result = config::load(file.path());
  if (result) return "accepted";
  std::string message = result.message();
  const std::string name = file.path().string() + ":";
  for (std::size_t at = 0; (at = message.find(name, at)) != std::string::npos;) message.erase(at, name.size());
  return message;
}

// "#key = value" → "key = value"
std::string uncommented(const std::string& text) {
  std::istringstream lines(text);
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    const bool is_key = line.size() > 1 && line[0] == '#' && line[1] >= 'a' && line[1] <= 'z';
    out += (is_key ? line.substr(1) : line) + "\n";
  }
  return out;
}

// What the shipped file shows of remotes: "key = value" lines of the comment at its end, by their keys.
std::multimap<std::string, std::string> shown_of_remotes(const std::string& shipped) {
  std::istringstream lines(shipped.substr(shipped.find("#   [remote.docs]")));
  std::multimap<std::string, std::string> shown;
  for (std::string line; std::getline(lines, line);) {
    const bool is_key = line.size() > 4 && line.starts_with("#   ") && line[4] >= 'a' && line[4] <= 'z';
    if (is_key) shown.emplace(line.substr(4, line.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", 4) - 4), line.substr(4));
  }
  return shown;
}

}  // namespace

TEST_CASE("the shipped file loads and serves the plugins of the build folder on loopback") {
  const Result<config::Config> config = config::load(kSource / "config/collet.toml");
  INFO((config ? "" : config.message()));
  REQUIRE(config.ok());
  CHECK(config->server == config::Server{});
  CHECK(config->plugins.paths == std::vector{(kSource / "build/release/plugins").string()});
  std::vector<std::string> ids;
  for (const config::Plugin& plugin : config->plugin) ids.push_back(plugin.id);
  CHECK(ids == std::vector<std::string>{"echo", "math", "files", "sqlite"});
  CHECK(config->plugin[2].config ==
        R"({"roots":[{"name":"sdk","path":")" + (kSource / "config/../sdk").string() + R"("}]})");
  CHECK(config::check_listen(config->server).ok());
}

TEST_CASE("what the shipped file shows as a default is the default") {
  const std::string shipped = contents(kSource / "config/collet.toml");
  const std::string shown = uncommented(shipped);
  REQUIRE(shipped.size() - shown.size() > 25);  // one character a line
  const config::Config all = loaded(shown);
  const config::Config defaults = loaded(shipped);
  CHECK(all.server == defaults.server);
  CHECK(all.log == defaults.log);
  CHECK(all.admin == defaults.admin);
  CHECK(all.plugins == defaults.plugins);
  CHECK(all.store == defaults.store);
  REQUIRE(all.plugin.size() == defaults.plugin.size());
  CHECK(all.plugin[0] == defaults.plugin[0]);
  CHECK(all.plugin[1] == defaults.plugin[1]);
}

TEST_CASE("every key there is stands in the shipped file") {
  const std::string shipped = contents(kSource / "config/collet.toml");
  const std::string refused = refusal(
      "zzzzzzzzzz = 1\n[server]\nzzzzzzzzzz = 1\n[server.limits]\nzzzzzzzzzz = 1\n[server.tls]\nzzzzzzzzzz = 1\n"
      "[[server.token]]\nname = 'n'\nhash = ''\nzzzzzzzzzz = 1\n[admin]\nzzzzzzzzzz = 1\n[log]\nzzzzzzzzzz = "
      "1\n[plugins]\nzzzzzzzzzz = 1\n[store]\nzzzzzzzzzz = 1\n"
      "[plugin.p]\nzzzzzzzzzz = 1\ntools.t.zzzzzzzzzz = 1\n"
      "[view.v]\nzzzzzzzzzz = 1\n"
      "[remote.r]\nurl = 'http://r/'\nzzzzzzzzzz = 1\ntools.t.zzzzzzzzzz = 1\n");
  const std::string introduction = "is not a key; known here: ";
  std::istringstream lines(refused);
  unsigned tables = 0;
  unsigned keys = 0;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t at = line.find(introduction);
    if (at == std::string::npos) continue;
    ++tables;
    std::istringstream known(line.substr(at + introduction.size()));
    for (std::string key; known >> key; ++keys) {
      key = key.substr(0, key.find(','));
      INFO(line);
      INFO(key);
      CHECK((shipped.find(key + " = ") != std::string::npos || shipped.find('[' + key) != std::string::npos ||
             shipped.find('.' + key) != std::string::npos || shipped.find(key + '.') != std::string::npos));
    }
  }
  CHECK(tables == 14);
  CHECK(keys > 40);
}

TEST_CASE("the shipped file shows each key of a remote that the plugin states, and no other") {
  const auto shown = shown_of_remotes(contents(kSource / "config/collet.toml"));
  std::set<std::string> keys, stated;
  for (const auto& [key, line] : shown) {
    keys.insert(key);
    INFO(line);
    const bool is_address = key == "url" || key == "command";
    CHECK(refusal((is_address ? "[remote.r]\n" : "[remote.r]\nurl = 'http://r/'\n") + line) == "accepted");
  }
  json::Document schema;
  REQUIRE_FALSE(json::parse(config::kRemoteKeys, schema));
  for (const auto& property : json::find(schema, "properties")->GetObject()) stated.emplace(json::view(property.name));
  CHECK(stated.erase("name") == 1);
  CHECK(stated.size() > 25);
  CHECK(keys == stated);
}

TEST_CASE("what the shipped file says of a remote's keys is what the plugin states") {
  const std::string shipped = contents(kSource / "config/collet.toml");
  const auto shown = shown_of_remotes(shipped);
  json::Document schema;
  REQUIRE_FALSE(json::parse(config::kRemoteKeys, schema));
  unsigned defaults = 0, words = 0;
  for (const auto& property : json::find(schema, "properties")->GetObject()) {
    const std::string key(json::view(property.name));
    INFO(key);
    CHECK_FALSE(json::find_string(property.value, "description").value_or("").empty());
    const json::Value* initial = json::find(property.value, "default");
    const bool is_shown = initial && (initial->IsBool() || initial->IsNumber() || (initial->IsString() && initial->GetStringLength() > 0));
    if (is_shown && ++defaults) {
      REQUIRE(shown.contains(key));
      CHECK(shown.find(key)->second == key + " = " + json::to_text(*initial));
    }
    const json::Value* choice = json::find(property.value, "enum");
    for (rapidjson::SizeType i = 0; choice && i < choice->Size(); ++i, ++words) {
      const std::string word = json::to_text((*choice)[i]);
      INFO(word);
      CHECK(shipped.find(word, shipped.find("#   [remote.docs]")) != std::string::npos);
    }
  }
  CHECK(defaults > 12);
  CHECK(words > 12);
}

TEST_CASE("every file that is wrong is refused with place, key and what would be right") {
  unsigned files = 0;
  for (const auto& entry : fs::directory_iterator(kSource / "tests/config/bad")) {
    ++files;
    std::ifstream in(entry.path());
    std::string expected;
    for (std::string line; std::getline(in, line) && line.rfind("#! ", 0) == 0;) {
      expected += (expected.empty() ? "" : "\n") + entry.path().string() + ":" + line.substr(3);
    }
    const Result<config::Config> config = config::load(entry.path());
    INFO(entry.path());
    REQUIRE_FALSE(config.ok());
    CHECK_FALSE(expected.empty());
    if (expected.ends_with("…")) {  // what follows is another module's to say
      expected.resize(expected.size() - std::string_view("…").size());
      CHECK_THAT(config.message(), Catch::StartsWith(expected));
    } else {
      CHECK(config.message() == expected);
    }
  }
  CHECK(files > 20);
}

TEST_CASE("a client alone may have room for one message, and not a byte less (bad/no_room.toml)") {
  const config::Config config =
      loaded("[server.limits]\nmessage_bytes_max = 2097152\nmemory_bytes_max = 12584960\nheader_bytes_max = 1024\n");
  CHECK(config.server.limits.http.memory_bytes_max == 12584960);
}

TEST_CASE("a file sets what it names and leaves the rest") {
  const config::Config config = loaded(R"(
[server]
listen = ["https://127.0.0.1:1", "unix:/run/collet.sock"]
path = "/"
threads = 2
allowed_hosts = ["mcp.example.org:8443"]
allowed_origins = ["https://app.example.org"]
title = "Tools"
sse_path = ""
card = { name = "org.example/tools", description = "Tools", url = "https://mcp.example.org" }
tls = { certificate = "a.pem", key = "/b.key" }
limits = { page_items = 3, message_bytes_max = 2048, route_body_bytes_max = 4096, header_count_max = 16 }
token = [{ name = "alice", hash = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" }]
[log]
level = "debug"
format = "json"
calls = true
requests = true
)");
  CHECK(config.server.listen.size() == 2);
  CHECK(config.server.listen[0].scheme == transport::Address::Scheme::https);
  CHECK(config.server.path == "/");
  CHECK(config.server.sse_path.empty());
  CHECK(config.server.card.name == "org.example/tools");
  CHECK(config.server.card.description == "Tools");
  CHECK(config.server.card.url == "https://mcp.example.org");
  CHECK(config.server.threads == 2);
  CHECK(config.server.allowed_hosts == std::vector<std::string>{"mcp.example.org:8443"});
  CHECK(config.server.allowed_origins == std::vector<std::string>{"https://app.example.org"});
  CHECK(config.server.name == "collet");
  CHECK(config.server.title == "Tools");
  CHECK(config.server.tls.key == "/b.key");
  CHECK(fs::path(config.server.tls.certificate).filename() == "a.pem");
  CHECK(config.server.limits.page_items == 3);
  CHECK(config.server.limits.http.body_bytes_max == 2048);
  CHECK(config.server.limits.route_body_bytes_max == 4096);
  CHECK(config.server.limits.http.header_count_max == 16);
  CHECK(config.server.limits.sessions_max == limits::kSessionsMax);
  REQUIRE(config.server.token.size() == 1);
  CHECK(config.server.token[0].name == "alice");
  CHECK(config.log.level == log::Level::debug);
  CHECK(config.log.format == log::Format::json);
  CHECK(config.log.calls);
  CHECK(config.log.requests);
}

TEST_CASE("a plugin's table: order of the file, names, deadlines, config as JSON") {
  const config::Config config = loaded(R"(
[plugins]
timeout_ms = 5000
[plugin.zeta]
library = "/lib/z.so"
placement = "worker"
permissions = { read = ["data"], write = ["/var/z"], network = true, unix = ["/run/z.sock"], events = ["audit/*"], environment = ["HOME"], threads_max = 8 }
[plugin.alpha]
library = "/lib/z.so"
enabled = false
placement = "in-process"
permissions.network = ["api.example.com:443", "[::1]:80"]
inline = false
prefix = "a_"
timeout_ms = 7
hide = ["one"]
rename = { two = "deux", "odd name" = "three" }
tools.four.timeout_ms = 9
[plugin.alpha.config]
z = "first \" \\"
a = [1, -2.5, 1e300, true, []]
when = 2026-11-20T10:00:00Z
day = 2026-11-20
hour = 10:30:00
nested.key = { x = 0.5 }
)");
  REQUIRE(config.plugin.size() == 2);
  const config::Plugin& zeta = config.plugin[0];
  CHECK(zeta.id == "zeta");
  CHECK(zeta.library == "/lib/z.so");
  CHECK(zeta.enabled);
  CHECK(zeta.timeout_ms == 5000);
  CHECK(zeta.config == "{}");
  CHECK(zeta.placement == Placement::worker);
  REQUIRE(zeta.permissions.read.size() == 1);
  CHECK(std::filesystem::path(zeta.permissions.read[0]).is_absolute());
  CHECK(zeta.permissions.write == std::vector<std::string>{"/var/z"});
  CHECK(zeta.permissions.network);
  CHECK(zeta.permissions.unix_sockets == std::vector<std::string>{"/run/z.sock"});
  CHECK_FALSE(zeta.permissions.exec);
  CHECK(zeta.permissions.events == std::vector<std::string>{"audit/*"});
  CHECK(zeta.permissions.environment == std::vector<std::string>{"HOME"});
  CHECK(zeta.permissions.threads_max == 8);
  const config::Plugin& alpha = config.plugin[1];
  CHECK_FALSE(alpha.enabled);
  CHECK(alpha.placement == Placement::in_process);
  CHECK(alpha.permissions == Permissions{.hosts = {"api.example.com:443", "[::1]:80"}});
  CHECK(zeta.inline_calls);
  CHECK_FALSE(alpha.inline_calls);
  CHECK(alpha.names.prefix == "a_");
  CHECK(alpha.names.hide == std::vector<std::string>{"one"});
  CHECK(alpha.names.rename == std::map<std::string, std::string>{{"odd name", "three"}, {"two", "deux"}});
  CHECK(alpha.timeout_ms == 7);
  CHECK(alpha.tool_timeouts.at("four") == 9);
  CHECK(json::is_object(alpha.config));
  CHECK(alpha.config ==
        R"({"z":"first \" \\","a":[1,-2.5,1e+300,true,[]],"when":"2026-11-20T10:00:00Z","day":"2026-11-20",)"
        R"("hour":"10:30:00","nested":{"key":{"x":0.5}}})");
}

TEST_CASE("relative paths start from the file's folder, wherever the process runs") {
  const ConfigFile file(R"(
[plugins]
paths = ["plugins", "../beside", "/absolute"]
[store]
file = "kept/store.db"
[plugin.p]
library = "./lib/p.so"
config = { file = "${config_dir}/data", both = ["${config_dir}:${config_dir}", "${HOME}"] }
)");
  const Result<config::Config> config = config::load(file.path().lexically_relative(fs::current_path()));
  REQUIRE(config.ok());
  const std::string folder = file.folder().string();
  CHECK(config->plugins.paths == std::vector{folder + "/plugins", (file.folder().parent_path() / "beside").string(),
                                             std::string("/absolute")});
  CHECK(config->store.file == folder + "/kept/store.db");
  CHECK(config->plugin[0].library == folder + "/lib/p.so");
  CHECK(config->plugin[0].config ==
        R"({"file":")" + folder + R"(/data","both":[")" + folder + ":" + folder + R"(","${HOME}"]})");
}

TEST_CASE("a file that cannot be read is named with the reason") {
  const ConfigFile file("");
  CHECK(loaded("").server == config::Server{});
  CHECK(config::load("/nowhere/c.toml").message() ==
        "cannot open the config file /nowhere/c.toml: No such file or directory");
  CHECK(config::load(file.folder()).message() ==
        "cannot read the config file " + file.folder().string() + ": Is a directory");
}

TEST_CASE("a file of just the permitted size loads, one byte more is refused") {
  std::string text(limits::kConfigBytesMax, '\n');
  CHECK(refusal(text) == "accepted");
  text += '\n';
  CHECK_THAT(refusal(text), Catch::Contains("it has more than 1048576 bytes"));
}

TEST_CASE("nesting is taken to its bound and refused past it, however it is written") {
  const auto repeated = [](unsigned times, std::string_view part) {
    std::string text;
    for (unsigned i = 0; i < times; ++i) text += part;
    return text;
  };
  const auto config = [](const std::string& value) { return refusal("plugin.p.config = { a = " + value + " }"); };
  const unsigned most = limits::kConfigDepthMax;
  CHECK(refusal("plugin.p.config." + repeated(most - 4, "a.") + "a = 1") == "accepted");
  CHECK(config(repeated(most - 1, "[") + repeated(most - 1, "]")) == "accepted");
  for (const std::string& dots : {repeated(most - 3, "a.") + "a", repeated(50'000, "a . 'b.c'.") + "a"}) {
    CHECK_THAT(refusal("plugin.p.config." + dots + " = 1"), Catch::Contains("nested too deeply"));
    CHECK_THAT(refusal("[plugin.p.config." + dots + "]"), Catch::Contains("nested too deeply"));
  }
  for (const unsigned brackets : {most, 300'000u}) {
    CHECK_THAT(config(repeated(brackets, "[") + repeated(brackets, "]")), Catch::Contains("maximum nested"));
  }
}

TEST_CASE("dots in strings and comments are no nesting") {
  const std::string dots(100, '.');
  CHECK(refusal("# " + dots + "\n[server] # " + dots + "\n" + "name = \"\\\"" + dots + "\"\ntitle = '" + dots +
                "'\n" + "instructions = \"\"\"\n\"" + dots + "\\\"\"\" " + dots + "\n\"\"\" # " + dots) ==
        "accepted");
}

TEST_CASE("numbers are taken at their bounds and refused one past them") {
  const auto threads = [](const char* number) { return refusal(std::string("server.threads = ") + number); };
  CHECK(threads("0") == "accepted");
  CHECK(threads("256") == "accepted");
  CHECK(threads("257") == "1:18: server.threads must be an integer from 0 to 256, not 257");
  CHECK(threads("-1") == "1:18: server.threads must be an integer from 0 to 256, not -1");
  const auto timeout = [](const char* number) { return refusal(std::string("plugins.timeout_ms = ") + number); };
  CHECK(timeout("1") == "accepted");
  CHECK(timeout("604800000") == "accepted");
  CHECK(timeout("604800001") == "1:22: plugins.timeout_ms must be an integer from 1 to 604800000, not 604800001");
  const auto steps = [](const char* number) {
    return refusal(std::string("server.limits.schema_steps_max = ") + number);
  };
  CHECK(steps("1000") == "accepted");
  CHECK(steps("999") == "1:34: server.limits.schema_steps_max must be an integer from 1000 to 1000000000, not 999");
  CHECK(steps("1000000000") == "accepted");
  CHECK(steps("1000000001") ==
        "1:34: server.limits.schema_steps_max must be an integer from 1000 to 1000000000, not 1000000001");
  CHECK(refusal("server.limits.task_ttl_ms = 604800000") == "accepted");
  CHECK(refusal("server.limits.task_ttl_ms = 604800001").starts_with("1:29: server.limits.task_ttl_ms must be"));
  for (const char* cgroup : {"auto", "off", "/sys/fs/cgroup/x"})
    CHECK(refusal(fmt::format("plugins.cgroup = '{}'", cgroup)) == "accepted");
  for (const char* cgroup : {"", "on", "x/y"})
    CHECK_THAT(refusal(fmt::format("plugins.cgroup = '{}'", cgroup)), Catch::Contains("plugins.cgroup must be \"auto\", \"off\" or an absolute path"));
  CHECK(refusal("plugins.create_timeout_ms = 604800000") == "accepted");
  CHECK(refusal("plugins.create_timeout_ms = 0").starts_with("1:29: plugins.create_timeout_ms must be"));
  CHECK(timeout("9223372036854775807").starts_with("1:22: plugins.timeout_ms must be an integer"));
}

TEST_CASE("listening beyond loopback takes a token or a word, https takes a certificate") {
  config::Server server;
  CHECK(config::check_listen(server).ok());
  server.listen = {{transport::Address::Scheme::http, "0.0.0.0", 80}};
  CHECK_THAT(config::check_listen(server).message(), Catch::Contains("collet token"));
  server.insecure = true;
  CHECK(config::check_listen(server).ok());
  server.insecure = false;
  server.token.push_back({"alice", "sha256:"});
  CHECK(config::check_listen(server).ok());
  server.listen = {{transport::Address::Scheme::https, "127.0.0.1", 443}};
  CHECK_THAT(config::check_listen(server).message(), Catch::Contains("[server.tls]"));
  server.tls = {"c", "k"};
  CHECK(config::check_listen(server).ok());
}

TEST_CASE("a remote is handed to the client plugin as it stands in the file, with its name") {
  const config::Config config = loaded(R"(
[remote.docs]
url = "https://docs.example.org/mcp"
headers = { Authorization = "Bearer ${env:TOKEN}" }
tools.search.timeout_ms = 5
auth = { client_id = "x" }
[remote.local]
command = "run"
args = ["--in", "${config_dir}/a"]
)");
  REQUIRE(config.remote.size() == 2);
  CHECK(config.remote[0].name == "docs");
  CHECK(config.remote[0].json ==
        R"({"name":"docs","url":"https://docs.example.org/mcp","headers":{"Authorization":"Bearer ${env:TOKEN}"},)"
        R"("tools":{"search":{"timeout_ms":5}},"auth":{"client_id":"x"}})");
  CHECK(config.remote[1].json.find("${config_dir}") == std::string::npos);
}

TEST_CASE("the certificates of a remote are looked for from the folder of the file") {
  const std::string json =
      loaded(
          "[remote.r]\nurl = 'https://r/'\nca = 'ca.pem'\nclient_certificate = '/c.pem'\nclient_key = '${env:KEY}'")
          .remote[0]
          .json;
  CHECK_THAT(json, Catch::Matches(R"(.*"ca":"/[^"]*/ca\.pem".*)"));
  CHECK_THAT(json, Catch::Contains(R"("client_certificate":"/c.pem","client_key":"${env:KEY}")"));
}

TEST_CASE("the headers of a caller's request that a remote is to have are known to the host") {
  const auto headers = [](std::string_view keys) {
    return loaded("[remote.r]\nurl = 'http://r/'\n" + std::string(keys)).remote[0].caller_headers;
  };
  CHECK(headers("").empty());
  CHECK(headers("forward_headers = ['X-A', 'X-B']") == std::vector<std::string>{"X-A", "X-B"});
  CHECK(headers("forward_token = false").empty());
  CHECK(headers("forward_token = true\nforward_headers = ['X-A']") == std::vector<std::string>{"X-A", "authorization"});
}

TEST_CASE("what is wrong with a remote is said with its place") {
  CHECK_THAT(refusal("[remote.a]"), Catch::Contains("set either url or command"));
  CHECK_THAT(refusal("[remote.a]\nurl = \"http://a/\"\ncommand = \"b\""),
             Catch::Contains("set either url or command"));
  CHECK_THAT(refusal("[remote.a]\nurl = \"ftp://a/\""),
             Catch::Contains("2:7: remote.a.url must be an http:// or https:// URL"));
  CHECK_THAT(refusal("[remote.a]\nurl = \"http://a/\"\non_clash = \"maybe\""),
             Catch::Contains("3:12: remote.a.on_clash"));
  CHECK_THAT(refusal("[remote.a]\nurl = \"http://a/\"\ntransport = \"pigeon\""),
             Catch::Contains("remote.a.transport"));
  CHECK_THAT(refusal("[remote.a]\nurl = \"http://a/\"\nprotocol = \"2025\""),
             Catch::Contains("3:12: remote.a.protocol must be \"auto\", \"2026-07-28\""));
  CHECK_THAT(refusal("[remote.a]\nurl = \"http://a/\"\nwhen_down = \"cry\""),
             Catch::Contains("remote.a.when_down"));
  CHECK_THAT(refusal("[remote.a]\nurl = \"http://a/\"\nonly = \"b\""), Catch::Contains("3:8: remote.a.only"));
  CHECK_THAT(refusal("[remote.a]\nurl = \"http://a/\"\nonly = [\"b\", \"\"]"),
             Catch::Contains("3:14: each of remote.a.only must be a string that is not empty"));
  CHECK_THAT(refusal("[remote.a]\nurl = \"http://a/\"\ndrain_timeout_ms = -1"),
             Catch::Contains("3:20: remote.a.drain_timeout_ms"));
  CHECK_THAT(refusal("[remote.a]\nurl = \"http://a/\"\nforward_headers = [\"a b\"]"),
             Catch::Contains("remote.a.forward_headers"));
  CHECK_THAT(refusal("[remote.a]\nurl = \"http://a/\"\nheaders = { \"a b\" = \"c\" }"),
             Catch::Contains("remote.a.headers.\"a b\" must be the name of a header"));
  for (const char* own : {"content-type", "Mcp-Session-Id", "HOST"}) {
    const std::string url = "[remote.a]\nurl = \"http://a/\"\n";
    CHECK_THAT(refusal(url + "headers = { " + own + " = \"c\" }"), Catch::Contains("that Collet does not set itself"));
    CHECK_THAT(refusal(url + "forward_headers = [\"" + own + "\"]"), Catch::Contains("that Collet does not set itself"));
  }
  CHECK_THAT(refusal("[remote.a]\nurl = \"http://a/\"\nca = \"\""), Catch::Contains("3:6: remote.a.ca"));
  CHECK_THAT(refusal("[remote.a]\ncommand = \"a\"\ninherit_env = true"),
             Catch::Contains("3:15: remote.a.inherit_env"));
  CHECK_THAT(refusal("[remote.a]\nurl = \"http://a/\"\ncolour = 1"), Catch::Contains("remote.a.colour"));
  CHECK_THAT(refusal("[remote.a]\nurl = \"http://a/\"\nenv = { A = 1 }"), Catch::Contains("remote.a.env.A"));
  CHECK_THAT(refusal("[remote.a]\nurl = \"http://a/\"\nheadrs = {}"),
             Catch::Contains("3:1: remote.a.headrs is not a key; did you mean headers?"));
  CHECK_THAT(refusal("[remote.a]\nurl = \"http://a/\"\nname = \"b\""), Catch::Contains("3:1: remote.a.name is not a key"));
  CHECK(refusal("[remote]\na = 1") == "2:5: remote.a must be a table, not 1");
  CHECK_THAT(refusal("[remote.\"a b\"]\nurl = \"http://a/\""), Catch::Contains("a remote's name must be"));
}

TEST_CASE("it is known where a plugin's config stands, of each key and value, and where it would stand") {
  const std::string text = "[plugin.a]\n\n[plugin.b.config]\nk = 1\nl = [2,\n  { m = 3 }]\n";
  const ConfigFile file(text);
  const auto config = config::load(file.path());
  REQUIRE(config);
  using Of = ConfigPlaces::Of;
  using Place = ConfigPlaces::Place;
  const ConfigPlaces& a = config->plugin.at(0).config_places;
  CHECK(a.table() == "plugin.a.config");
  CHECK(a.file() == file.path());
  CHECK(a.find("/k", Of::value) == Place{1, 1});
  const ConfigPlaces& b = config->plugin.at(1).config_places;
  CHECK(b.find("", Of::value) == Place{3, 1});
  CHECK(b.find("/k", Of::key) == Place{4, 1});
  CHECK(b.find("/k", Of::value) == Place{4, 5});
  CHECK(b.find("/l/0", Of::value) == Place{5, 6});
  CHECK(b.find("/l/1/m", Of::key) == Place{6, 5});
  CHECK(b.find("/l/1/m", Of::value) == Place{6, 9});
}
