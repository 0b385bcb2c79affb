#include "foreign/client_config.h"

#include <algorithm>

#include "base/assert.h"
#include "base/text.h"

namespace collet::foreign {
namespace {

// The environment variable, or input of VS Code, that the token comes from.
constexpr std::string_view kTokenVariable = "COLLET_TOKEN";

struct Client {
  std::string_view name;
  std::string_view file;
  std::string_view root;     // the key of its servers
  std::string_view url_key;  // empty: it can start servers only
  std::string_view type;     // of a server that has a URL; empty: it does not ask
  std::string_view token;    // what it takes the token from
};

constexpr Client kClients[] = {
    {"claude", ".mcp.json of a project, or mcpServers of ~/.claude.json", "mcpServers", "url", "http",
     "${COLLET_TOKEN}"},
    {"claude-desktop", "claude_desktop_config.json", "mcpServers", "", "", ""},
    {"codex", "~/.codex/config.toml", "mcp_servers", "url", "", ""},
    {"copilot", "~/.copilot/mcp-config.json", "mcpServers", "url", "http", "${COLLET_TOKEN}"},
    {"cursor", ".cursor/mcp.json", "mcpServers", "url", "", "${env:COLLET_TOKEN}"},
    {"gemini", "~/.gemini/settings.json", "mcpServers", "httpUrl", "", "${COLLET_TOKEN}"},
    {"inspector", "the file of mcp-inspector --config", "mcpServers", "url", "streamable-http", "<token>"},
    {"vscode", ".vscode/mcp.json", "servers", "url", "http", "${input:COLLET_TOKEN}"},
    {"windsurf", "~/.codeium/windsurf/mcp_config.json", "mcpServers", "serverUrl", "", "${env:COLLET_TOKEN}"},
    {"zed", "~/.config/zed/settings.json", "context_servers", "url", "", "<token>"},
};

const Client* find(std::string_view name) {
  const auto* client =
      std::find_if(std::begin(kClients), std::end(kClients), [&](const Client& each) { return each.name == name; });
  return client == std::end(kClients) ? nullptr : client;
}

std::string quoted(std::string_view text) {
  std::string out;
  text::append_json_string(out, text);
  return out;
}

// JSON as people indent it: an object's members go to lines of their own, a list stays on one.
class Writer {
 public:
  void open(std::string_view key = {}) {
    begin(key);
    out_ += '{';
    ++depth_;
    is_first_ = true;
  }
  void close() {
    --depth_;
    new_line();
    out_ += '}';
    is_first_ = false;
  }
  void add(std::string_view key, std::string_view text) { add_json(key, quoted(text)); }
  void add_json(std::string_view key, std::string_view json) {
    begin(key);
    out_ += json;
  }
  std::string text() && { return std::move(out_) + "\n"; }

 private:
  void begin(std::string_view key) {
    if (depth_ == 0) return;
    if (!is_first_) out_ += ',';
    is_first_ = false;
    new_line();
    out_ += quoted(key) + ": ";
  }
  void new_line() { out_ += "\n" + std::string(2 * depth_, ' '); }

  std::string out_;
  std::size_t depth_ = 0;
  bool is_first_ = true;
};

std::string list(const std::vector<std::string>& texts) {
  std::string inner;
  for (const std::string& text : texts) inner += (inner.empty() ? "" : ", ") + quoted(text);
  return "[" + inner + "]";
}

std::string codex_toml(const Endpoint& endpoint) {
  std::string out = fmt::format("[mcp_servers.{}]\n", quoted(endpoint.name));
  if (endpoint.url.empty()) {
    return out + fmt::format("command = {}\nargs = {}\n", quoted(endpoint.command), list(endpoint.args));
  }
  out += fmt::format("url = {}\n", quoted(endpoint.url));
  if (endpoint.needs_token) out += fmt::format("bearer_token_env_var = \"{}\"\n", kTokenVariable);
  return out;
}

void write_server(Writer& json, const Client& client, const Endpoint& endpoint) {
  json.open(endpoint.name);
  if (endpoint.url.empty()) {
    json.add("command", endpoint.command);
    json.add_json("args", list(endpoint.args));
  } else {
    if (!client.type.empty()) json.add("type", client.type);
    json.add(client.url_key, endpoint.url);
    if (endpoint.needs_token) {
      json.open("headers");
      json.add("Authorization", fmt::format("Bearer {}", client.token));
      json.close();
    }
  }
  if (client.name == "copilot") json.add_json("tools", R"(["*"])");  // it takes none by itself
  json.close();
}

std::string json_text(const Client& client, const Endpoint& endpoint) {
  Writer json;
  json.open();
  if (client.name == "vscode" && endpoint.needs_token) {
    json.add_json("inputs", fmt::format(R"([{{"type": "promptString", "id": "{}", "description": )"
                                        R"("Token for {}", "password": true}}])",
                                        kTokenVariable, endpoint.name));
  }
  json.open(client.root);
  write_server(json, client, endpoint);
  json.close();
  json.close();
  return std::move(json).text();
}

std::string token_source(const Client& client) {
  if (client.token == "<token>") return "takes the place of <token>";
  if (client.token.starts_with("${input:")) return "is asked for when the client starts";
  return fmt::format("is taken from the environment variable {}", kTokenVariable);
}

}  // namespace

std::string known_clients() {
  std::string names;
  for (const Client& client : kClients) names.append(names.empty() ? "" : ", ").append(client.name);
  return names;
}

bool is_known_client(std::string_view client) { return find(client) != nullptr; }

bool is_stdio_only(std::string_view client) {
  const Client* found = find(client);
  return found && found->url_key.empty();
}

Result<ClientConfig> client_config(std::string_view name, const Endpoint& endpoint) {
  const Client* client = find(name);
  COLLET_ASSERT(client);
  if (client->url_key.empty() && !endpoint.url.empty()) {
    return error("{} connects to no URL from its configuration; let it start Collet, with --stdio", name);
  }
  const bool is_toml = client->name == "codex";
  return ClientConfig{is_toml ? codex_toml(endpoint) : json_text(*client, endpoint), std::string(client->file),
                      endpoint.needs_token ? token_source(*client) : ""};
}

}  // namespace collet::foreign
