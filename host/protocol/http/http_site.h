// Everything that is served over HTTP: which path is whose, and who may talk to us at all.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "loop/loop.h"
#include "protocol/http/access.h"
#include "protocol/http/held_requests.h"
#include "protocol/http/route.h"
#include "protocol/request_observer.h"

namespace collet::protocol {

// One for each loop, which outlives it; outlives the loop's HttpServer. Access is shared by all and outlives them.
class HttpSite final : public transport::HttpHandler {
 public:
  // Who is told of requests that may not come in outlives it.
  HttpSite(loop::Loop& loop, const Access& access, const RequestObservers& observers = kNobody)
      : access_(access),
        observers_(observers),
        unknown_(loop, held_limits(access.rules()), cannot_authenticate),
        known_(loop, held_limits(access.rules()), cannot_fetch_needs) {}

  // Before the first request. Where two have the same path the earlier one is served; the first of all is the one that
  // who finds nothing is told of.
  void add(Route route) { routes_.push_back(std::move(route)); }

  // Refuses all requests that are held: the server ends.
  void give_up_held() {
    unknown_.give_up();
    known_.give_up();
  }

  void on_request(const transport::HttpRequest& http, transport::HttpReply& reply) override;
  bool refuses(const transport::HttpRequest& header, transport::HttpReply& reply, transport::HttpSender& sender) override;
  void on_refusal(const transport::HttpRequest& http, std::vector<transport::Header>& headers) override;

 private:
  struct Admitted {
    const Route* route;
    registry::PrincipalPtr principal;
  };
  void deny(const transport::HttpRequest& http, transport::HttpReply& reply, std::string_view page, const Refusal& refused) const;
  // Nothing: it has been answered, or is held.
  std::optional<Admitted> admit(const transport::HttpRequest& http, transport::HttpReply& reply);
  std::optional<Admitted> admit_granted(const Route* route, const transport::HttpRequest& http, transport::HttpReply& reply);
  void await_verdict(const transport::HttpRequest& http, transport::HttpReply& reply, std::string_view page);
  // Whether the request is held until what its route needs is here, or has been refused.
  bool awaits_needs(const Route& route, const transport::HttpRequest& http, transport::HttpReply& reply, std::string_view page,
                    const registry::PrincipalPtr& principal);
  const Route* find(std::string_view path) const;

  static const RequestObservers kNobody;
  static HeldLimits held_limits(const AccessRules& rules) {
    return {rules.authentication_timeout_ms, rules.authentications_max};
  }

  const Access& access_;
  const RequestObservers& observers_;
  HeldRequests unknown_;  // whose senders are to be found out
  HeldRequests known_;    // that lack what their route needs
  std::vector<Route> routes_;
};

}  // namespace collet::protocol
