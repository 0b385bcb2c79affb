// What can be known of the server before anybody connects: its server card, and the catalog that leads there
// (experimental-ext-server-card, docs/discovery.md; SEP-2127).
#pragma once

#include <string>

#include "protocol/http_site.h"

namespace collet::protocol {

struct ServerCard {
  std::string name;         // reverse DNS, a slash, the server's: "org.example/weather"
  std::string title;        // may be empty
  std::string description;  // for people
  std::string version;
  std::string url;  // where clients find us, without a path: "https://mcp.example.org"
};

// The card at PATH/server-card and the catalog at /.well-known/ai-catalog.json.
Documents discovery_documents(const ServerCard& card, const HttpPaths& paths);

}  // namespace collet::protocol
