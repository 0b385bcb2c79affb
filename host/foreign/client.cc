#include "foreign/client.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace collet::foreign {
namespace {

namespace fs = std::filesystem;

#ifdef __APPLE__
#define COLLET_APPLICATIONS "~/Library/Application Support"
#else
#define COLLET_APPLICATIONS "${XDG_CONFIG_HOME:-~/.config}"
#endif

std::string environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value ? value : "";
}

fs::path home() {
  const std::string set = environment("HOME");
  if (!set.empty()) return set;
  const passwd* user = getpwuid(getuid());
  return user ? user->pw_dir : "/";
}

// A path of the table with its variable replaced, by its default where `variables` does not have it.
template <class Variables>
std::string expanded(std::string_view path, Variables&& variables) {
  if (!path.starts_with("${")) return std::string(path);
  const std::size_t otherwise = path.find(":-");
  const std::size_t end = path.find('}');
  std::string folder = variables(std::string(path.substr(2, otherwise - 2)));
  if (folder.empty()) folder = path.substr(otherwise + 2, end - otherwise - 2);
  return folder.append(path.substr(end + 1));
}

// The names by which a file is told: the last two, where there are two below ~ or the open folder.
fs::path last_names(std::string_view path) {
  const fs::path whole = expanded(path, [](const std::string&) { return std::string(); });
  const fs::path folder = whole.parent_path();
  return folder.has_parent_path() ? folder.filename() / whole.filename() : whole.filename();
}

// Of a path whose last name begins with *, the files that there are.
void add_matching(const fs::path& pattern, std::vector<fs::path>& files) {
  std::error_code failure;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(pattern.parent_path(), failure)) {
    if (entry.path().extension() == pattern.extension()) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  files.insert(files.end(), found.begin(), found.end());
}

}  // namespace

const std::vector<Client>& clients() {
  static const std::vector<Client> kClients = {
      {"amp", "amp.mcpServers of ~/.config/amp/settings.json", {"${XDG_CONFIG_HOME:-~/.config}/amp/settings.json"}},
      {"claude",
       ".mcp.json of a project, or mcpServers of ~/.claude.json",
       {"${CLAUDE_CONFIG_DIR:-~}/.claude.json", "./.mcp.json"},
       {.timeout = Timeout::call_ms}},
      {"claude-desktop", "claude_desktop_config.json", {COLLET_APPLICATIONS "/Claude/claude_desktop_config.json"}},
      {"cline",
       "cline_mcp_settings.json",
       {COLLET_APPLICATIONS "/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
        "~/.cline/data/settings/cline_mcp_settings.json"},
       {.timeout = Timeout::call_s}},
      {"codex",
       "~/.codex/config.toml",
       {"${CODEX_HOME:-~/.codex}/config.toml", "./.codex/config.toml"},
       {.references = References::none}},
      {"continue",
       "~/.continue/config.yaml, or .continue/mcpServers of a project",
       {"~/.continue/config.yaml", "~/.continue/config.json", "~/.continue/mcpServers/*.yaml",
        "~/.continue/mcpServers/*.json", "./.continue/mcpServers/*.yaml", "./.continue/mcpServers/*.json"}},
      {"copilot",
       "~/.copilot/mcp-config.json",
       {"${COPILOT_HOME:-~/.copilot}/mcp-config.json"},
       {.references = References::dollars}},
      {"cursor", ".cursor/mcp.json", {"~/.cursor/mcp.json", "./.cursor/mcp.json"}},
      {"gemini",
       "~/.gemini/settings.json",
       {"~/.gemini/settings.json", "./.gemini/settings.json"},
       {.references = References::dollars, .timeout = Timeout::call_ms}},
      {"goose",
       "~/.config/goose/config.yaml",
       {"${XDG_CONFIG_HOME:-~/.config}/goose/config.yaml"},
       {.references = References::dollars, .timeout = Timeout::call_s}},
      {"inspector", "the file of mcp-inspector --config", {}},
      {"kiro", "~/.kiro/settings/mcp.json", {"~/.kiro/settings/mcp.json", "./.kiro/settings/mcp.json"}},
      {"lm-studio", "~/.lmstudio/mcp.json", {"~/.lmstudio/mcp.json"}},
      {"opencode",
       "~/.config/opencode/opencode.json, or opencode.json of a project",
       {"${XDG_CONFIG_HOME:-~/.config}/opencode/opencode.json",
        "${XDG_CONFIG_HOME:-~/.config}/opencode/opencode.jsonc", "./opencode.json", "./opencode.jsonc"},
       {.references = References::single_brace, .timeout = Timeout::start_ms}},
      {"qwen",
       "~/.qwen/settings.json",
       {"~/.qwen/settings.json", "./.qwen/settings.json"},
       {.references = References::dollars, .timeout = Timeout::call_ms}},
      {"roo",
       "mcp_settings.json, or .roo/mcp.json of a project",
       {COLLET_APPLICATIONS "/Code/User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json",
        "./.roo/mcp.json"},
       {.timeout = Timeout::call_s}},
      {"vscode",
       ".vscode/mcp.json",
       {COLLET_APPLICATIONS "/Code/User/mcp.json", COLLET_APPLICATIONS "/Code/User/settings.json",
        "./.vscode/mcp.json"},
       {.http_or_sse = true}},
      {"windsurf", "~/.codeium/windsurf/mcp_config.json", {"~/.codeium/windsurf/mcp_config.json"}},
      {"zed",
       "~/.config/zed/settings.json",
       {"${XDG_CONFIG_HOME:-~/.config}/zed/settings.json", "./.zed/settings.json"}},
  };
  return kClients;
}

const Client* find_client(std::string_view name) {
  const auto found =
      std::find_if(clients().begin(), clients().end(), [&](const Client& each) { return each.name == name; });
  return found == clients().end() ? nullptr : &*found;
}

std::string known_clients() {
  std::string names;
  for (const Client& client : clients()) names.append(names.empty() ? "" : ", ").append(client.name);
  return names;
}

std::vector<fs::path> files_of(const Client& client, const fs::path& workspace) {
  std::vector<fs::path> files;
  for (const std::string_view each : client.files) {
    const std::string path = expanded(each, environment);
    if (path.starts_with("./") && workspace.empty()) continue;
    const fs::path file = (path.starts_with("~/") ? home() / path.substr(2) : workspace / path).lexically_normal();
    if (file.filename().string().starts_with('*')) {
      add_matching(file, files);
    } else if (std::find(files.begin(), files.end(), file) == files.end()) {
      files.push_back(file);
    }
  }
  return files;
}

const Client* client_of(const fs::path& file) {
  const fs::path path = fs::absolute(file).lexically_normal();
  for (const Client& client : clients()) {
    for (const std::string_view each : client.files) {
      const fs::path names = last_names(each);
      const bool in_folder = !names.has_parent_path() || path.parent_path().filename() == names.parent_path();
      const bool is_any = names.filename().string().starts_with('*');
      if (in_folder && (is_any ? path.extension() == names.extension() : path.filename() == names.filename()))
        return &client;
    }
  }
  return nullptr;
}

}  // namespace collet::foreign
