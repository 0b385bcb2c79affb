// The configurations in which MCP clients name their servers, read as remotes of ours: JSON with comments of
// Claude, VS Code, Copilot, Cursor, Gemini, Qwen, Windsurf, Zed, Cline, opencode and the Inspector, Codex's TOML,
// YAML of Goose and Continue.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "foreign/client.h"
#include "foreign/remote.h"
#include "foreign/source.h"

namespace collet::foreign {

// All that a file says about servers, and what could not be kept. Messages start with the server's name.
struct Findings {
  std::vector<Remote> remotes;
  std::vector<config::Problem> notes;  // what a remote does without, or has in another way
  std::vector<config::Problem>
      left_out;  // servers that are no remotes, and what remotes need and have not got; why
};

struct Origin {
  // Where the text comes from: its name tells TOML and YAML from JSON, its folder what relative paths start from.
  std::filesystem::path file;
  // The folder that the client would have open; empty: that of the file, or above it if it is hidden, such as
  // .vscode.
  std::filesystem::path workspace = {};
  const Client* client = nullptr;  // whose it is; null: it is told by the file's path and what stands in it
  bool may_have_none = false;      // a file that has no place for servers is no failure, but has none
};

// JSON is read as it comes, and may be larger than memory.
Result<Findings> read_remotes(Source& source, const Origin& origin);
Result<Findings> read_remotes(std::string_view text, const Origin& origin);

// `file:line:column: message`
std::string at(const std::filesystem::path& file, const config::Problem& problem);

}  // namespace collet::foreign
