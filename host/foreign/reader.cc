#include "foreign/reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <initializer_list>
#include <set>

#include "base/limits.h"
#include "config/section.h"
#include "foreign/jsonc.h"
#include "foreign/remote_reader.h"

namespace collet::foreign {
namespace {

namespace fs = std::filesystem;
using config::Problem;
using config::Value;

// Where servers stand, from the root down. VS Code has them in mcp.json, settings.json and devcontainer.json.
struct Place {
  std::initializer_list<std::string_view> path;
  Dialect dialect;
};
const Place kPlaces[] = {
    {{"mcpServers"}, {}},
    {{"servers"}, {.http_or_sse = true}},
    {{"mcp", "servers"}, {.http_or_sse = true}},
    {{"customizations", "vscode", "mcp", "servers"}, {.http_or_sse = true}},
    {{"context_servers"}, {}},
    {{"mcp_servers"}, {.expands = false}},
};
constexpr std::string_view kPlacesInWords =
    "mcpServers (Claude, Cursor, Copilot, Gemini, Windsurf, Cline, Inspector), servers (VS Code), "
    "context_servers (Zed) or mcp_servers (Codex)";

const Value* find(const Value& table, std::string_view key) {
  for (const Value::Member& member : table.members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

bool is_toml(std::string_view text, const fs::path& file) {
  const std::string extension = file.extension().string();
  if (extension == ".toml") return true;
  if (extension == ".json" || extension == ".jsonc") return false;
  const std::size_t first = text.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  return first != std::string_view::npos && text[first] != '{' && text[first] != '/';
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
  explicit Reader(std::string workspace) { surroundings_.workspace = std::move(workspace); }

  Result<Findings> read(const Value& document) {
    bool found = false;
    for (const Place& place : kPlaces) found = read_place(document, place) || found;
    if (const Value* projects = find(document, "projects")) found = read_projects(*projects) || found;
    if (!found) return error("there are no MCP servers in it: none of {}", kPlacesInWords);
    if (servers_ > limits::kForeignRemotesMax || inputs_ > limits::kForeignRemotesMax) {
      return error("it has more than {} servers or inputs", limits::kForeignRemotesMax);
    }
    return std::move(findings_);
  }

 private:
  bool read_place(const Value& document, const Place& place) {
    const Value* around = nullptr;
    const Value* servers = &document;
    for (const std::string_view key : place.path) {
      around = servers;
      if (!(servers = find(*servers, key))) return false;
    }
    read_inputs(*around);
    read_servers(*servers, place.dialect);
    return true;
  }

  // Claude Code keeps what it has been told for single projects, by their folders.
  bool read_projects(const Value& projects) {
    bool found = false;
    for (const Value::Member& project : projects.members) {
      const Value* servers = find(project.value, "mcpServers");
      if (!servers) continue;
      const std::string around = std::exchange(surroundings_.workspace, project.key);
      read_servers(*servers, {});
      surroundings_.workspace = around;
      found = true;
    }
    return found;
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
    if (servers.type == Value::Type::array) {
      for (const Value& item : servers.items) {
        const Value* name = find(item, "name");
        read_server(name ? name->text : "", item, dialect);
      }
    } else if (servers.type == Value::Type::table) {
      for (const Value::Member& member : servers.members) read_server(member.key, member.value, dialect);
    } else {
      findings_.left_out.push_back({servers.at, "the servers must be a table"});
    }
  }

  void read_server(const std::string& given_name, const Value& server, const Dialect& dialect) {
    if (++servers_ > limits::kForeignRemotesMax) return;
    const std::string name = name_here(given_name);
    const auto same_name = [&](const Remote& other) { return other.name == name; };
    if (name.empty()) return leave_out(server.at, "a server", "it has no name");
    if (std::any_of(findings_.remotes.begin(), findings_.remotes.end(), same_name)) {
      return leave_out(server.at, name, "another server is called so already");
    }
    if (name != given_name) {
      findings_.notes.push_back({server.at, fmt::format("{}: was called {}", name, config::in_quotes(given_name))});
    }
    RemoteReader reader(surroundings_, dialect, findings_.notes);
    auto remote = reader.read(name, server);
    if (const auto* problem = std::get_if<Problem>(&remote)) return leave_out(problem->at, name, problem->message);
    findings_.remotes.push_back(std::get<Remote>(std::move(remote)));
  }

  void leave_out(config::Position at, std::string_view name, std::string_view why) {
    findings_.left_out.push_back({at, fmt::format("{}: {}", name, why)});
  }

  Surroundings surroundings_;
  Findings findings_;
  std::set<std::string> variables_;  // that inputs have become
  unsigned servers_ = 0;
  unsigned inputs_ = 0;
};

std::string workspace_of(const fs::path& file) {
  const fs::path folder = fs::absolute(file).lexically_normal().parent_path();
  return (folder.filename().string().starts_with('.') ? folder.parent_path() : folder).string();
}

}  // namespace

Result<Findings> read_remotes(std::string_view text, const fs::path& file, const fs::path& workspace) {
  const auto document = is_toml(text, file) ? config::parse_document(text) : parse_jsonc(text);
  if (const Problem* wrong = std::get_if<Problem>(&document)) return Error{at(file, *wrong)};
  Reader reader(workspace.empty() ? workspace_of(file) : fs::absolute(workspace).lexically_normal().string());
  Result<Findings> findings = reader.read(std::get<Value>(document));
  if (!findings) return error("cannot import {}: {}", file.string(), findings.message());
  return findings;
}

std::string at(const fs::path& file, const Problem& problem) {
  return fmt::format("{}:{}:{}: {}", file.string(), problem.at.line, problem.at.column, problem.message);
}

}  // namespace collet::foreign
