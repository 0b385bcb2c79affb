// The MCP endpoint over HTTP, both eras on one path.
#pragma once

#include <memory>
#include <string>

#include "protocol/access.h"
#include "protocol/server.h"

namespace collet::protocol {

// One for each loop; outlives the loop's HttpServer. Access is shared by all and outlives them.
class HttpEndpoint final : public transport::HttpHandler {
 public:
  HttpEndpoint(ServerLoop& loop, const Access& access, std::string path);

  void on_request(const transport::HttpRequest& http, transport::HttpReply& reply) override;

 private:
  void post(const transport::HttpRequest& http, transport::HttpReply& reply, std::string principal);
  void get(const transport::HttpRequest& http, transport::HttpReply& reply, const std::string& principal);
  void remove(const transport::HttpRequest& http, transport::HttpReply& reply, const std::string& principal);
  void preflight(const transport::HttpRequest& http, transport::HttpReply& reply);

  // Finds out who asks in which era; the request's context is complete if nothing is returned.
  std::optional<rpc::Error> identify(const transport::HttpRequest& http, Request& request);
  std::optional<rpc::Error> identify_modern(const transport::HttpRequest& http, Request& request);
  std::optional<rpc::Error> identify_legacy(const transport::HttpRequest& http, Request& request);

  ServerLoop& loop_;
  const Access& access_;
  const std::string path_;
};

}  // namespace collet::protocol
