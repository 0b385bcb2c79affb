// Everything that is served over HTTP: which path is whose, and who may talk to us at all.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/http/access.h"
#include "protocol/http/route.h"

namespace collet::protocol {

// One for each loop; outlives the loop's HttpServer. Access is shared by all and outlives them.
class HttpSite final : public transport::HttpHandler {
 public:
  explicit HttpSite(const Access& access) : access_(access) {}

  // Before the first request. Where two have the same path the earlier one is served; the first of all is the one that
  // who finds nothing is told of.
  void add(Route route) { routes_.push_back(std::move(route)); }

  void on_request(const transport::HttpRequest& http, transport::HttpReply& reply) override;
  bool refuses(const transport::HttpRequest& header, transport::HttpReply& reply, transport::HttpSender& sender) override;
  void on_refusal(const transport::HttpRequest& http, std::vector<transport::Header>& headers) override;

 private:
  struct Admitted {
    const Route* route;
    registry::PrincipalPtr principal;
  };
  // Nothing: it has been answered.
  std::optional<Admitted> admit(const transport::HttpRequest& http, transport::HttpReply& reply) const;
  std::optional<Admitted> admit_granted(const Route* route, const transport::HttpRequest& http,
                                        transport::HttpReply& reply) const;
  const Route* find(std::string_view path) const;

  const Access& access_;
  std::vector<Route> routes_;
};

}  // namespace collet::protocol
