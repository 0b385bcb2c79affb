#include "foreign/client_config.h"

#include <algorithm>

#include "base/assert.h"
#include "base/text.h"
#include "config/document.h"
#include "foreign/client.h"
#include "foreign/remote.h"

namespace collet::foreign {
namespace {

// The environment variable, or input of VS Code, that the token comes from.
constexpr std::string_view kTokenVariable = "COLLET_TOKEN";

// How a client writes a server down.
struct Form {
  std::string_view client;
  std::string_view root;     // the key of its servers
  std::string_view url_key;  // empty: it can start servers only
  std::string_view type;     // of a server that has a URL; empty: it does not ask
  std::string_view token;    // what it takes the token from
};

constexpr Form kForms[] = {
    {"amp", "amp.mcpServers", "url", "", "${COLLET_TOKEN}"},
    {"claude", "mcpServers", "url", "http", "${COLLET_TOKEN}"},
    {"claude-desktop", "mcpServers", "", "", ""},
    {"cline", "mcpServers", "url", "streamableHttp", "<token>"},
    {"codex", "mcp_servers", "url", "", ""},
    {"continue", "mcpServers", "url", "streamable-http", "${{ secrets.COLLET_TOKEN }}"},
    {"copilot", "mcpServers", "url", "http", "${COLLET_TOKEN}"},
    {"cursor", "mcpServers", "url", "", "${env:COLLET_TOKEN}"},
    {"gemini", "mcpServers", "httpUrl", "", "${COLLET_TOKEN}"},
    {"goose", "extensions", "uri", "streamable_http", "${COLLET_TOKEN}"},
    {"inspector", "mcpServers", "url", "streamable-http", "<token>"},
    {"kiro", "mcpServers", "url", "", "${COLLET_TOKEN}"},
    {"lm-studio", "mcpServers", "url", "", "<token>"},
    {"opencode", "mcp", "url", "remote", "{env:COLLET_TOKEN}"},
    {"qwen", "mcpServers", "httpUrl", "", "${COLLET_TOKEN}"},
    {"roo", "mcpServers", "url", "streamable-http", "${env:COLLET_TOKEN}"},
    {"vscode", "servers", "url", "http", "${input:COLLET_TOKEN}"},
    {"windsurf", "mcpServers", "serverUrl", "", "${env:COLLET_TOKEN}"},
    {"zed", "context_servers", "url", "", "<token>"},
};

const Form& form_of(std::string_view client) {
  const auto* form =
      std::find_if(std::begin(kForms), std::end(kForms), [&](const Form& each) { return each.client == client; });
  COLLET_ASSERT(form != std::end(kForms));
  return *form;
}

std::string json_string(std::string_view text) {
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
  void add(std::string_view key, std::string_view text) { add_json(key, json_string(text)); }
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
    out_ += json_string(key) + ": ";
  }
  void new_line() { out_ += "\n" + std::string(2 * depth_, ' '); }

  std::string out_;
  std::size_t depth_ = 0;
  bool is_first_ = true;
};

template <class Quote>
std::string list(const std::vector<std::string>& texts, Quote&& quote) {
  std::string inner;
  for (const std::string& text : texts) inner += (inner.empty() ? "" : ", ") + quote(text);
  return "[" + inner + "]";
}

std::string codex_toml(const Endpoint& endpoint) {
  using config::toml_string;
  std::string out = fmt::format("[mcp_servers.{}]\n", toml_key(endpoint.name));
  if (endpoint.url.empty()) {
    return out + fmt::format("command = {}\nargs = {}\n", toml_string(endpoint.command),
                             list(endpoint.args, toml_string));
  }
  out += fmt::format("url = {}\n", toml_string(endpoint.url));
  if (endpoint.needs_token) out += fmt::format("bearer_token_env_var = \"{}\"\n", kTokenVariable);
  return out;
}

std::vector<std::string> command_line(const Endpoint& endpoint) {
  std::vector<std::string> words = {endpoint.command};
  words.insert(words.end(), endpoint.args.begin(), endpoint.args.end());
  return words;
}

// As in JSON, but for one character.
std::string yaml_string(std::string_view text) {
  std::string out;
  for (const char c : json_string(text)) out += c == '\x7f' ? std::string("\\x7f") : std::string(1, c);
  return out;
}

std::string goose_yaml(const Form& form, const Endpoint& endpoint) {
  std::string out = fmt::format("extensions:\n  {}:\n    name: {}\n    enabled: true\n", yaml_string(endpoint.name),
                                yaml_string(endpoint.name));
  if (endpoint.url.empty()) {
    return out + fmt::format("    type: stdio\n    cmd: {}\n    args: {}\n", yaml_string(endpoint.command),
                             list(endpoint.args, yaml_string));
  }
  out += fmt::format("    type: {}\n    uri: {}\n", form.type, yaml_string(endpoint.url));
  if (!endpoint.needs_token) return out;
  return out + fmt::format("    env_keys: [{}]\n    headers:\n      Authorization: {}\n", kTokenVariable,
                           yaml_string(fmt::format("Bearer {}", form.token)));
}

std::string continue_yaml(const Form& form, const Endpoint& endpoint) {
  std::string out = fmt::format("name: Collet\nversion: 1.0.0\nschema: v1\nmcpServers:\n  - name: {}\n",
                                yaml_string(endpoint.name));
  if (endpoint.url.empty()) {
    return out + fmt::format("    command: {}\n    args: {}\n", yaml_string(endpoint.command),
                             list(endpoint.args, yaml_string));
  }
  out += fmt::format("    type: {}\n    url: {}\n", form.type, yaml_string(endpoint.url));
  if (!endpoint.needs_token) return out;
  return out + fmt::format("    requestOptions:\n      headers:\n        Authorization: {}\n",
                           yaml_string(fmt::format("Bearer {}", form.token)));
}

void write_members(Writer& json, const Form& form, const Endpoint& endpoint) {
  if (!endpoint.url.empty()) {
    if (!form.type.empty()) json.add("type", form.type);
    json.add(form.url_key, endpoint.url);
    if (endpoint.needs_token) {
      json.open("headers");
      json.add("Authorization", fmt::format("Bearer {}", form.token));
      json.close();
    }
  } else if (form.client == "opencode") {
    json.add("type", "local");
    json.add_json("command", list(command_line(endpoint), json_string));
  } else {
    json.add("command", endpoint.command);
    json.add_json("args", list(endpoint.args, json_string));
  }
  if (form.client == "copilot") json.add_json("tools", R"(["*"])");  // it takes none by itself
}

std::string json_text(const Form& form, const Endpoint& endpoint) {
  Writer json;
  json.open();
  if (form.client == "vscode" && endpoint.needs_token) {
    json.add_json("inputs", fmt::format(R"([{{"type": "promptString", "id": "{}", "description": )"
                                        R"("Token for {}", "password": true}}])",
                                        kTokenVariable, endpoint.name));
  }
  json.open(form.root);
  json.open(endpoint.name);
  write_members(json, form, endpoint);
  json.close();
  json.close();
  json.close();
  return std::move(json).text();
}

std::string text_of(const Form& form, const Endpoint& endpoint) {
  if (form.client == "codex") return codex_toml(endpoint);
  if (form.client == "continue") return continue_yaml(form, endpoint);
  if (form.client == "goose") return goose_yaml(form, endpoint);
  return json_text(form, endpoint);
}

std::string token_source(const Form& form) {
  if (form.token == "<token>") return "takes the place of <token>";
  if (form.token.starts_with("${input:")) return "is asked for when the client starts";
  return fmt::format("is taken from the environment variable {}", kTokenVariable);
}

}  // namespace

bool is_stdio_only(std::string_view client) { return form_of(client).url_key.empty(); }

Result<ClientConfig> client_config(std::string_view name, const Endpoint& endpoint) {
  const Form& form = form_of(name);
  if (form.url_key.empty() && !endpoint.url.empty()) {
    return error("{} connects to no URL from its configuration; let it start Collet, with --stdio", name);
  }
  return ClientConfig{text_of(form, endpoint), std::string(find_client(name)->file),
                      endpoint.needs_token ? token_source(form) : ""};
}

Entry client_entry(std::string_view client, const Endpoint& endpoint) {
  const Form& form = form_of(client);
  const MemberPlace place{{std::string(form.root)}, endpoint.name};
  if (client == "goose") return {place, false, text_of(form, endpoint), "extensions:"};
  if (client == "codex" || client == "continue") return {place, false, text_of(form, endpoint), {}};
  Writer json;
  json.open();
  write_members(json, form, endpoint);
  json.close();
  std::string value = std::move(json).text();
  value.pop_back();  // the newline
  return {place, true, std::move(value), {}};
}

}  // namespace collet::foreign
