// The MCP clients that are known here: where each keeps its servers, and how it takes what stands there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace collet::foreign {

// How a program takes references to its environment.
enum class References : std::uint8_t {
  none,          // as they stand
  braces,        // ${NAME}, ${NAME:-other}, ${env:NAME}, …
  dollars,       // these, and $NAME
  single_brace,  // {env:NAME}
};

// What a bare `timeout` counts.
enum class Timeout : std::uint8_t { unknown, call_ms, call_s, start_ms };

struct Dialect {
  References references = References::braces;
  Timeout timeout = Timeout::unknown;
  bool http_or_sse = false;  // type "http" also tries the transport of 2024-11-05
};

struct Client {
  std::string_view name;
  std::string_view file;  // where its servers stand, in words
  // The same as paths: ~ is the home folder, ${NAME:-PATH} one of the environment, . the open folder, * any name.
  // Those of the person come first, and of these the one that we would write.
  std::vector<std::string_view> files;
  Dialect dialect = {};
};

const std::vector<Client>& clients();
// Null if there is none.
const Client* find_client(std::string_view name);
// The names, separated by commas.
std::string known_clients();

// Its files by their absolute paths, whether they exist or not. `workspace` is the open folder; empty: those of the
// person alone.
std::vector<std::filesystem::path> files_of(const Client& client, const std::filesystem::path& workspace);
// The client that has a file there; null if it is not told by the last names of the path.
const Client* client_of(const std::filesystem::path& file);

}  // namespace collet::foreign
