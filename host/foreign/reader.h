// The configurations in which MCP clients name their servers, read as remotes of ours: JSON with comments of
// Claude, VS Code, Copilot, Cursor, Gemini, Windsurf, Zed, Cline and the Inspector, and Codex's TOML.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "foreign/remote.h"

namespace collet::foreign {

// All that a file says about servers, and what could not be kept. Messages start with the server's name.
struct Findings {
  std::vector<Remote> remotes;
  std::vector<config::Problem> notes;     // what a remote does without, or has in another way
  std::vector<config::Problem> left_out;  // servers that are no remotes, and why
};

// `file` is where the text comes from: its name tells TOML from JSON, its folder what relative paths start from.
// `workspace` is the folder that the client would have open; empty: that of the file, or above it if it is hidden,
// such as .vscode.
Result<Findings> read_remotes(std::string_view text, const std::filesystem::path& file,
                              const std::filesystem::path& workspace = {});

// `file:line:column: message`
std::string at(const std::filesystem::path& file, const config::Problem& problem);

}  // namespace collet::foreign
