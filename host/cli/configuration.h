// The configuration that a verb runs with: a file's, the default one, or one made from options that name a server.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"

namespace collet::cli {

// What the verbs have in common.
struct CommonOptions {
  std::string config_file;                  // empty: every plugin of the folder beside the program
  bool json = false;                        // --format json
  std::string url;                          // of one MCP server that takes the place of all plugins
  std::vector<std::string> headers;         // "Name: value", of every request to it
  std::string token;                        // likewise, for Authorization: Bearer; empty: none
  std::string command;                      // likewise, of a child process: words for the shell
  std::optional<std::uint64_t> timeout_ms;  // for a server to answer; else a limit of ours

  bool name_server() const { return !url.empty() || !command.empty(); }
};

// The file's configuration or the default one.
Result<config::Config> read_config(const CommonOptions& options);
// As above, with the log set up by it; where the options name a server, that alone.
Result<config::Config> load_config(const CommonOptions& options);

}  // namespace collet::cli
