// Everything that is served over HTTP: which path is whose, and who may talk to us at all.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/access.h"
#include "protocol/http_endpoint.h"
#include "protocol/sse_endpoint.h"

namespace collet::protocol {

// A document for everybody, made once; see discovery.h.
struct Document {
  std::string media_type;
  std::string body;
  std::string etag;
};
using Documents = std::map<std::string, Document, std::less<>>;  // by path

struct HttpPaths {
  std::string mcp = "/mcp";  // Streamable HTTP, 2025-03-26 and later
  std::string sse = "/sse";  // HTTP with SSE, 2024-11-05; empty: not served
};

// One for each loop; outlives the loop's HttpServer. Access and documents are shared by all and outlive them.
class HttpSite final : public transport::HttpHandler {
 public:
  HttpSite(ServerLoop& loop, const Access& access, HttpPaths paths, const Documents& documents);

  void on_request(const transport::HttpRequest& http, transport::HttpReply& reply) override;
  bool refuses(const transport::HttpRequest& header, transport::HttpReply& reply, std::string& client) override;
  void on_refusal(const transport::HttpRequest& http, std::vector<transport::Header>& headers) override;

 private:
  // The principal, if the request is one to an endpoint and may go on; otherwise it has been answered.
  std::optional<std::string> admit(const transport::HttpRequest& http, transport::HttpReply& reply);
  void serve(const Document& document, const transport::HttpRequest& http, transport::HttpReply& reply);

  const Access& access_;
  const HttpPaths paths_;
  const Documents& documents_;
  HttpEndpoint mcp_;
  SseEndpoint sse_;
};

}  // namespace collet::protocol
