// What can be known of the server before anybody connects: its server card, and the catalog that leads there
// (experimental-ext-server-card, docs/discovery.md; SEP-2127).
#pragma once

#include <string>
#include <vector>

#include "protocol/http/route.h"

namespace collet::protocol {

// A document for everybody, made once.
struct Document {
  std::string path;
  std::string media_type;
  std::string body;
  std::string etag;
};
// The document is borrowed. It needs no token: it says no more than how to connect.
Route route_to(const Document& document);

struct ServerCard {
  std::string name;         // reverse DNS, a slash, the server's: "org.example/weather"
  std::string title;        // may be empty
  std::string description;  // for people
  std::string version;
  std::string url;  // where clients find us, without a path: "https://mcp.example.org"
};

// The card at `mcp_path`/server-card and the catalog at /.well-known/ai-catalog.json.
std::vector<Document> discovery_documents(const ServerCard& card, const std::string& mcp_path);

}  // namespace collet::protocol
