// The MCP clients of this machine as `collet setup` sees them: what they have, and how they come to find Collet.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/remote_tables.h"
#include "foreign/client.h"
#include "foreign/client_config.h"
#include "foreign/file_change.h"
#include "foreign/reader.h"

namespace collet::cli {

struct ClientFile {
  std::string file;
  Result<foreign::Findings> findings;
};

// One that has a file here.
struct FoundClient {
  const foreign::Client* client;
  std::vector<ClientFile> files;
};

// `workspace` is the open folder; empty: what belongs to folders does not count.
std::vector<FoundClient> find_clients(const std::filesystem::path& workspace);

struct PlannedEntry {
  foreign::FileChange change;
  foreign::Check check;  // that the client has it then
};
// How the client comes to find `endpoint`, Collet with the configuration of `target`, in its file for all folders; an
// entry of it that starts another program takes its place. Nothing if it has that server. Fails if its file cannot be
// changed.
Result<std::optional<PlannedEntry>> plan_entry(const foreign::Client& client, const foreign::Endpoint& endpoint,
                                               const Target& target);

}  // namespace collet::cli
