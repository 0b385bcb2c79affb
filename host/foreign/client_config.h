// What an MCP client's configuration needs to say so that the client finds this host.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "foreign/json_edit.h"

namespace collet::foreign {

// How this host is reached: by a URL, or else by a command.
struct Endpoint {
  std::string name;  // as the client is to call it
  std::string url;
  bool needs_token = false;  // with `url`: a token is sent, from wherever the client keeps such
  std::string command;
  std::vector<std::string> args;
};

struct ClientConfig {
  std::string text;   // a whole file
  std::string file;   // where it belongs, in words
  std::string token;  // where the client takes the token from, in words; empty if it needs none
};

// Whether it can start servers only.
bool is_stdio_only(std::string_view client);

// `client` is a known one. Fails if it cannot connect that way.
Result<ClientConfig> client_config(std::string_view client, const Endpoint& endpoint);

// The same, for a file that is there already.
struct Entry {
  MemberPlace place;     // of the server
  bool is_json = false;  // else the text is added to the end, or is the whole of a file that is made
  std::string text;      // the member's value, indented as at the root; or that text
  // A line of YAML behind which the text goes without its own first line, which is the same, if the file has it.
  std::string behind;
};
Entry client_entry(std::string_view client, const Endpoint& endpoint);

}  // namespace collet::foreign
