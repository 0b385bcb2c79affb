// The MCP endpoint over HTTP, both eras on one path.
#pragma once

#include <string>

#include "protocol/http/http_content.h"
#include "protocol/http/route.h"
#include "protocol/server_loop.h"

namespace collet::protocol {

// Streamable HTTP: one for each loop.
class HttpEndpoint {
 public:
  explicit HttpEndpoint(ServerLoop& loop) : loop_(loop) {}

  // A request of somebody who may talk to us.
  void serve(const transport::HttpRequest& http, transport::HttpReply& reply, registry::PrincipalPtr principal);
  // The session that the request names, if it may be one of a store's.
  Route::Fetch needs(const transport::HttpRequest& http, const registry::PrincipalPtr& principal);

 private:
  void post(const transport::HttpRequest& http, transport::HttpReply& reply, registry::PrincipalPtr principal);
  void take_response(const transport::HttpRequest& http, Request& response, const std::optional<rpc::Error>& bad);
  void get(const transport::HttpRequest& http, transport::HttpReply& reply, const registry::PrincipalPtr& principal);
  void remove(const transport::HttpRequest& http, transport::HttpReply& reply, const registry::PrincipalPtr& principal);

  // 2025-03-26 alone has batches: several messages as one.
  void post_batch(const transport::HttpRequest& http, transport::HttpReply& reply, Accepted takes,
                  const registry::PrincipalPtr& principal);

  // The session that a request names.
  struct Named {
    SessionPtr session;             // null if it names none, or none of this principal
    int status = 200;               // of the refusal, if there is none that it could mean
    std::string_view problem = {};  // likewise
  };
  Named session_of(const transport::HttpRequest& http, const registry::PrincipalPtr& principal);

  // Finds out who asks in which era, which the version's header has a part in; the request's context is complete if
  // nothing is returned.
  std::optional<rpc::Error> identify(const transport::HttpRequest& http, Request& request);
  std::optional<rpc::Error> identify_modern(const transport::HttpRequest& http, std::string_view header,
                                            const json::Value* claimed, Request& request);
  std::optional<rpc::Error> identify_legacy(const transport::HttpRequest& http, std::string_view header,
                                            Request& request);

  ServerLoop& loop_;
};

}  // namespace collet::protocol
