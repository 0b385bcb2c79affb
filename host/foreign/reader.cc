#include "foreign/reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <set>

#include "base/limits.h"
#include "config/section.h"
#include "foreign/jsonc.h"
#include "foreign/member.h"
#include "foreign/remote_reader.h"
#include "foreign/remote_set.h"
#include "foreign/yaml.h"

namespace collet::foreign {
namespace {

namespace fs = std::filesystem;
using config::Problem;
using config::Value;

// What is kept of a file. VS Code has servers in mcp.json, settings.json and devcontainer.json, Claude Code also
// those that it has been told for single projects, by their folders, in a file that holds the history of all.
const std::vector<Wanted>& wanted() {
  static const std::vector<Wanted> kWanted = {
      {"mcpServers"},
      {"amp.mcpServers"},
      {"servers"},
      {"inputs"},
      {"mcp"},
      {"customizations", {{"vscode", {{"mcp"}}}}},
      {"context_servers"},
      {"mcp_servers"},
      {"projects", {{"*", {{"mcpServers"}, {"disabledMcpServers"}}}}},
  };
  return kWanted;
}

// Where servers stand, from the root down, and how they are taken there, if that does not depend on whose file it
// is.
struct Place {
  std::initializer_list<std::string_view> path;
  std::optional<Dialect> dialect = {};
};
const Dialect kVscode{.http_or_sse = true};
const Place kPlaces[] = {
    {{"mcpServers"}},       {{"amp.mcpServers"}},
    {{"servers"}, kVscode}, {{"customizations", "vscode", "mcp", "servers"}, kVscode},
    {{"context_servers"}},  {{"mcp_servers"}, Dialect{.references = References::none}},
};
constexpr std::string_view kPlacesInWords =
    "mcpServers (Claude, Cursor, Copilot, Gemini, Qwen, Windsurf, Cline, Continue, Inspector), amp.mcpServers "
    "(Amp), "
    "servers (VS Code), context_servers (Zed), mcp (opencode), mcp_servers (Codex) or extensions (Goose)";

const Value* find(const Value& table, std::string_view key) {
  for (const Value::Member& member : table.members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

std::string_view text_of(const Value& table, std::string_view key) {
  const Value* value = find(table, key);
  return value && value->type == Value::Type::string ? std::string_view(value->text) : "";
}

bool names(const Value* list, std::string_view name) {
  if (!list) return false;
  return std::any_of(list->items.begin(), list->items.end(), [&](const Value& item) { return item.text == name; });
}

// Gemini and Qwen alone have such keys.
bool is_of_gemini(const Value& servers) {
  return std::any_of(servers.members.begin(), servers.members.end(), [](const Value::Member& server) {
    return find(server.value, "httpUrl") || find(server.value, "trust") || find(server.value, "includeTools") ||
           find(server.value, "excludeTools");
  });
}

// opencode alone says "local" or "remote" of servers below `mcp`.
bool is_of_opencode(const Value& server) {
  const std::string_view type = text_of(server, "type");
  return type == "local" || type == "remote";
}

// Whether the line is the first of a mapping in YAML.
bool begins_mapping(std::string_view line) {
  const std::size_t colon = line.find(':');
  const bool ends_key = colon != std::string_view::npos && (colon + 1 == line.size() || line[colon + 1] == ' ');
  return ends_key && line.find_first_of("[]=#{}\"'") > colon;
}

// `before` is what was read to tell by the text, up to the first line that says something, where neither the name of
// the file nor its client does.
Format format_of(Source& source, const fs::path& file, const Client* client, std::string& before) {
  const std::string extension = file.extension().string();
  if (extension == ".toml") return Format::toml;
  if (extension == ".yaml" || extension == ".yml") return Format::yaml;
  if (extension == ".json" || extension == ".jsonc") return Format::json;
  if (client && !client->files.empty()) return foreign::format_of(client->files.front());
  while (before.size() < limits::kForeignConfigBytesMax &&
         std::string_view(" \t\r\n").find(static_cast<char>(source.peek())) != std::string_view::npos)
    before += static_cast<char>(source.take());
  const int first = source.peek();
  if (first == '{' || first == '/' || first == Source::kEnd) return Format::json;
  std::size_t line = before.size();
  for (int next = source.take(); next != Source::kEnd && before.size() < limits::kForeignConfigBytesMax;
       next = source.take()) {
    before += static_cast<char>(next);
    if (next != '\n') continue;
    const bool says_nothing = before[line] == '#' || before.find_first_not_of(" \t\r", line) == before.size() - 1;
    if (!says_nothing) break;
    line = before.size();
  }
  std::string_view said = std::string_view(before).substr(line);
  said = said.substr(0, said.find_last_not_of(" \t\r\n") + 1);
  return begins_mapping(said) ? Format::yaml : Format::toml;
}

std::variant<Value, Problem> parse(Source& source, const Origin& origin, std::vector<Problem>& replaced) {
  std::string text;
  const Format format = format_of(source, origin.file, origin.client, text);
  if (format == Format::json) return parse_jsonc(source, wanted(), &replaced);
  const Result<std::string> rest = read_all(source, limits::kForeignConfigBytesMax);
  if (!rest) return Problem{source.position(), rest.message()};
  text += *rest;
  return format == Format::toml ? config::parse_document(text) : parse_yaml(text);
}

// The part of an environment variable's name that an input's id has to offer.
std::string variable_of(std::string_view id) {
  std::string name;
  for (const char c : id) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    name += letter || (digit && !name.empty()) ? static_cast<char>(c & (letter ? ~0x20 : ~0)) : '_';
  }
  return name;
}

// A name that [remote.<name>] can have.
std::string name_here(std::string_view name) {
  std::string out(name);
  const auto is_bad = [](char c) {
    return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
             c == '-');
  };
  std::replace_if(out.begin(), out.end(), is_bad, '_');
  return out;
}

class Reader {
 public:
  Reader(std::string workspace, const Client* client, bool may_have_none)
      : client_(client), may_have_none_(may_have_none) {
    surroundings_.workspace = std::move(workspace);
  }

  Result<Findings> read(const Value& document) {
    for (const Place& place : kPlaces) read_place(document, place);
    read_mcp(document);
    if (const Value* extensions = find(document, "extensions")) read_extensions(*extensions);
    if (const Value* projects = find(document, "projects")) read_projects(*projects);
    if (!found_at_ && may_have_none_) return std::move(findings_);
    if (!found_at_) return error("there are no MCP servers in it: none of {}", kPlacesInWords);
    if (is_past_limit() || inputs_ > limits::kForeignRemotesMax)
      return error("it has more than {} servers or inputs", limits::kForeignRemotesMax);
    if (set_.remotes().empty() && findings_.left_out.empty() && findings_.notes.empty())
      findings_.notes.push_back({*found_at_, "there are no servers in it"});
    if (const Value* mcp = find(document, "mcp")) switch_off_unwanted(*mcp);
    findings_.remotes = std::move(set_.remotes());
    return std::move(findings_);
  }

 private:
  void read_place(const Value& document, const Place& place) {
    const Value* around = nullptr;
    const Value* servers = &document;
    for (const std::string_view key : place.path) {
      around = servers;
      if (!(servers = find(*servers, key))) return;
    }
    read_inputs(*around);
    read_servers(*servers, place.dialect.value_or(dialect_of(*servers)));
  }

  Dialect dialect_of(const Value& servers) const {
    if (client_) return client_->dialect;
    return is_of_gemini(servers) ? find_client("gemini")->dialect : Dialect{};
  }

  // VS Code has `servers` here, opencode 2 as well, opencode 1 the servers themselves; Gemini says which of
  // mcpServers may be.
  void read_mcp(const Value& document) {
    const Value* mcp = find(document, "mcp");
    if (!mcp) return;
    const Dialect opencode = find_client("opencode")->dialect;
    const bool is_opencode = client_ && client_->name == "opencode";
    const Value* servers = find(*mcp, "servers");
    const auto is_server = [](const Value::Member& member) { return is_of_opencode(member.value); };
    if (servers && !is_of_opencode(*servers)) {
      const bool by_opencode =
          is_opencode || std::any_of(servers->members.begin(), servers->members.end(), is_server);
      read_inputs(*mcp);
      read_servers(*servers, by_opencode ? opencode : kVscode);
    } else if (is_opencode || std::any_of(mcp->members.begin(), mcp->members.end(), is_server)) {
      read_servers(*mcp, opencode);
    }
  }

  void switch_off_unwanted(const Value& mcp) {
    const Value* allowed = find(mcp, "allowed");
    const Value* excluded = find(mcp, "excluded");
    for (Remote& remote : set_.remotes()) {
      const bool is_excluded = names(excluded, remote.name);
      if (!remote.enabled || (!is_excluded && (!allowed || names(allowed, remote.name)))) continue;
      remote.enabled = false;
      findings_.notes.push_back({(is_excluded ? excluded : allowed)->at,
                                 fmt::format("{}: is switched off, as it is {}", remote.name,
                                             is_excluded ? "among mcp.excluded" : "not among mcp.allowed")});
    }
  }

  // Goose has parts of its own among them.
  void read_extensions(const Value& extensions) {
    Value servers = extensions;
    std::erase_if(servers.members, [&](const Value::Member& member) {
      const std::string_view type = text_of(member.value, "type");
      if (type != "builtin" && type != "platform" && type != "frontend") return false;
      findings_.notes.push_back(
          {member.at, fmt::format("{}: is a part of Goose and no server ({})", member.key, type)});
      return true;
    });
    read_servers(servers, find_client("goose")->dialect);
  }

  void read_projects(const Value& projects) {
    for (const Value::Member& project : projects.members) {
      const Value* servers = find(project.value, "mcpServers");
      const std::string around = std::exchange(surroundings_.workspace, project.key);
      switched_off_ = find(project.value, "disabledMcpServers");
      if (servers) read_servers(*servers, dialect_of(*servers));
      note_switched_off(project.key, servers);
      switched_off_ = nullptr;
      surroundings_.workspace = around;
    }
  }

  // A server of all projects can be off in one, for which there is nothing here.
  void note_switched_off(const std::string& project, const Value* servers) {
    if (!switched_off_) return;
    for (const Value& item : switched_off_->items) {
      if (servers && find(*servers, item.text)) continue;
      const auto is_it = [&](const Remote& remote) { return remote.name == name_here(item.text); };
      if (std::none_of(set_.remotes().begin(), set_.remotes().end(), is_it)) continue;
      findings_.notes.push_back(
          {item.at, fmt::format("{}: is off in {} alone, and on here", name_here(item.text), project)});
    }
  }

  void read_inputs(const Value& around) {
    const Value* inputs = find(around, "inputs");
    if (!inputs) return;
    for (const Value& each : inputs->items) {
      if (++inputs_ > limits::kForeignRemotesMax) return;
      const Value* id = find(each, "id");
      if (id && id->type == Value::Type::string) read_input(id->text, each);
    }
  }

  void read_input(const std::string& id, const Value& from) {
    if (surroundings_.inputs.count(id)) return;
    Input input;
    input.variable = variable_of(id);
    while (!variables_.insert(input.variable).second) input.variable += '_';
    if (const Value* otherwise = find(from, "default")) input.otherwise = otherwise->text;
    if (input.otherwise.find('}') != std::string::npos) input.otherwise.clear();  // would end the reference
    const Value* says = find(from, "description");
    input.says = says ? says->text : "set it in the environment";
    surroundings_.inputs.emplace(id, std::move(input));
  }

  // By their names, or as a list of tables that have one.
  void read_servers(const Value& servers, const Dialect& dialect) {
    if (!found_at_) found_at_ = servers.at;
    if (servers.type == Value::Type::array) {
      for (const Value& item : servers.items) read_server(std::string(text_of(item, "name")), item, dialect);
    } else if (servers.type == Value::Type::table) {
      for (const Value::Member& member : servers.members) read_server(member.key, member.value, dialect);
    } else {
      findings_.left_out.push_back({servers.at, "the servers must be a table"});
    }
  }

  void read_server(const std::string& given_name, const Value& server, const Dialect& dialect) {
    if (is_past_limit()) return;
    const std::string name = name_here(given_name);
    if (name.empty()) return leave_out(server.at, "a server", "it has no name");
    std::vector<Problem> notes, lost;
    RemoteReader reader(surroundings_, dialect, notes, lost);
    auto read = reader.read(name, server);
    if (const auto* problem = std::get_if<Problem>(&read)) return leave_out(problem->at, name, problem->message);
    Remote remote = std::get<Remote>(std::move(read));
    if (names(switched_off_, given_name)) remote.enabled = false;
    const std::string folder = name_here(fs::path(surroundings_.workspace).filename().string());
    const auto added = set_.add(std::move(remote), folder);
    if (!added) return;  // one that was added in several projects
    if (*added != given_name)
      findings_.notes.push_back(
          {server.at, fmt::format("{}: was called {}", *added, config::in_quotes(given_name))});
    add_under(*added, name, notes, findings_.notes);
    add_under(*added, name, lost, findings_.left_out);
  }

  // Adds what is said of a remote, under the name that it has got instead of its own.
  static void add_under(const std::string& got, const std::string& name, std::vector<Problem>& from,
                        std::vector<Problem>& to) {
    for (auto& [at, message] : from) {
      if (got != name) message.replace(0, name.size(), got);
      to.push_back({at, std::move(message)});
    }
  }

  // Once for each server and reason: those of Claude may stand in many projects.
  void leave_out(config::Position at, std::string_view name, std::string_view why) {
    std::string message = fmt::format("{}: {}", name, why);
    if (name != "a server" && !said_.insert(message).second) return;
    ++refused_;
    findings_.left_out.push_back({at, std::move(message)});
  }

  bool is_past_limit() const { return set_.remotes().size() + refused_ > limits::kForeignRemotesMax; }

  const Client* const client_;
  const bool may_have_none_;
  Surroundings surroundings_;
  RemoteSet set_;
  Findings findings_;
  std::optional<config::Position> found_at_;  // the first servers, even if there are none in them
  const Value* switched_off_ = nullptr;       // the names of servers that are off in the project
  std::set<std::string> said_;                // why servers were left out
  std::set<std::string> variables_;           // that inputs have become
  std::size_t refused_ = 0;                   // servers
  unsigned inputs_ = 0;
};

std::string workspace_of(const fs::path& file) {
  const fs::path folder = fs::absolute(file).lexically_normal().parent_path();
  return (folder.filename().string().starts_with('.') ? folder.parent_path() : folder).string();
}

}  // namespace

Result<Findings> read_remotes(Source& source, const Origin& origin) {
  std::vector<Problem> replaced;
  const auto document = parse(source, origin, replaced);
  if (const Problem* wrong = std::get_if<Problem>(&document)) return Error{at(origin.file, *wrong)};
  Reader reader(origin.workspace.empty() ? workspace_of(origin.file)
                                         : fs::absolute(origin.workspace).lexically_normal().string(),
                origin.client ? origin.client : client_of(origin.file), origin.may_have_none);
  Result<Findings> findings = reader.read(std::get<Value>(document));
  if (!findings) return error("cannot import {}: {}", origin.file.string(), findings.message());
  findings->left_out.insert(findings->left_out.begin(), replaced.begin(), replaced.end());
  return findings;
}

Result<Findings> read_remotes(std::string_view text, const Origin& origin) {
  Source source(text);
  return read_remotes(source, origin);
}

std::string at(const fs::path& file, const Problem& problem) {
  return fmt::format("{}:{}:{}: {}", file.string(), problem.at.line, problem.at.column, problem.message);
}

}  // namespace collet::foreign
