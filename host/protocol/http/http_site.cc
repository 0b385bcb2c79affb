#include "protocol/http/http_site.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/assert.h"
#include "protocol/http/http_content.h"

namespace collet::protocol {

using transport::Header;
using transport::HttpReply;
using transport::HttpRequest;

namespace {

// A slash behind a path names the same.
bool is_path(std::string_view asked, const Route& route) {
  const std::string_view path = route.path;
  if (route.is_folder) return asked.starts_with(path);
  return asked == path || (asked.size() == path.size() + 1 && asked.back() == '/' && asked.starts_with(path));
}

// What a browser asks before it lets a page talk to us (Fetch, CORS-preflight). It carries no credentials.
bool is_preflight(const HttpRequest& http) {
  return http.method == "OPTIONS" && http.header("access-control-request-method").data();
}

// Allows what is asked for and says no more. Whether a method is served is told by the answer to it, which the page
// can then read.
void answer_preflight(const HttpRequest& http, HttpReply& reply, std::string_view page) {
  std::vector<Header> headers = {{"Access-Control-Allow-Origin", page},
                                 {"Vary", "Origin"},
                                 {"Access-Control-Allow-Methods", http.header("access-control-request-method")}};
  std::string joined;
  if (const auto names = http.listed("access-control-request-headers", joined); !names.empty()) {
    headers.push_back({"Access-Control-Allow-Headers", names});
  }
  if (http.header("access-control-request-private-network") == "true") {
    headers.push_back({"Access-Control-Allow-Private-Network", "true"});
  }
  headers.push_back({"Access-Control-Max-Age", "600"});
  reply.respond(204, headers, {});
}

}  // namespace

const RequestObservers HttpSite::kNobody;

void HttpSite::deny(const HttpRequest& http, HttpReply& reply, std::string_view page, const Refusal& refused) const {
  if (!observers_.empty()) tell_denied({http.path, http.client, refused.status}, observers_);
  const std::string seconds = std::to_string(refused.retry_after_s);
  Header more{};
  if (!refused.challenge.empty()) more = {"WWW-Authenticate", refused.challenge};
  if (refused.retry_after_s > 0) more = {"Retry-After", seconds};
  refuse(reply, page, refused.status, refused.message, more);
}

void HttpSite::on_request(const HttpRequest& http, HttpReply& reply) {
  if (auto admitted = admit(http, reply)) admitted->route->handler(http, reply, std::move(admitted->principal));
}

// With a token it is counted to whom that stands for, from whatever addresses.
bool HttpSite::refuses(const HttpRequest& header, HttpReply& reply, transport::HttpSender& sender) {
  auto admitted = admit(header, reply);
  if (!admitted) return true;
  if (admitted->route->entry != Entry::granted) {  // nobody wants to know what else would come
    admitted->route->handler(header, reply, {});
    return true;
  }
  sender.client = counted_to(admitted->principal, sender.client);
  if (admitted->route->streams) sender.streamed_bytes_max = admitted->route->streams(header, admitted->principal);
  if (!sender.known) sender.known = std::make_shared<const HeldRequests::Known>(HeldRequests::Known{std::move(admitted->principal)});
  return false;
}

const Route* HttpSite::find(std::string_view path) const {
  const auto found = std::ranges::find_if(routes_, [&](const Route& route) { return is_path(path, route); });
  return found == routes_.end() ? nullptr : &*found;
}

std::optional<HttpSite::Admitted> HttpSite::admit(const HttpRequest& http, HttpReply& reply) {
  const Route* route = find(http.path);
  if (!route || route->entry == Entry::granted) return admit_granted(route, http, reply);
  constexpr std::string_view kEveryPage = "*";
  std::string_view page;
  if (route->entry == Entry::published) {
    if (const auto refused = access_.check_host(http)) {
      deny(http, reply, {}, *refused);
      return std::nullopt;
    }
    page = kEveryPage;
    if (is_preflight(http)) {
      answer_preflight(http, reply, page);
      return std::nullopt;
    }
  }
  return takes_method(route->methods, http, reply, page) ? std::optional(Admitted{route, {}}) : std::nullopt;
}

std::optional<HttpSite::Admitted> HttpSite::admit_granted(const Route* route, const HttpRequest& http, HttpReply& reply) {
  const std::string_view page = access_.is_from_page(http) ? page_of(http) : std::string_view();
  if (is_preflight(http)) {
    if (const auto refused = access_.check_names(http)) {
      deny(http, reply, page, *refused);
    } else {
      answer_preflight(http, reply, page);
    }
    return std::nullopt;
  }
  if (!route) {
    refuse(reply, page, 404, fmt::format("Nothing is here. The MCP endpoint is {}\n", routes_.front().path));
    return std::nullopt;
  }
  const HeldRequests::Known* known = HeldRequests::known_of(http);
  std::optional<Verdict> verdict = known ? std::optional(known->verdict) : access_.check(http);
  if (!verdict) {
    await_verdict(http, reply, page);
    return std::nullopt;
  }
  if (const auto* refused = std::get_if<Refusal>(&*verdict)) {
    deny(http, reply, page, *refused);
    return std::nullopt;
  }
  auto& principal = std::get<registry::PrincipalPtr>(*verdict);
  COLLET_ASSERT(principal || !access_.needs_token());  // null is who may see everything
  if (!takes_method(route->methods, http, reply, page)) return std::nullopt;
  if (!(known && known->has_needs) && awaits_needs(*route, http, reply, page, principal)) return std::nullopt;
  return Admitted{route, std::move(principal)};
}

void HttpSite::await_verdict(const HttpRequest& http, HttpReply& reply, std::string_view page) {
  std::optional<LateVerdict> verdict = unknown_.hold(reply, http.client);
  if (!verdict) return deny(http, reply, page, cannot_authenticate("too many are waiting for that"));
  access_.find_out(http, std::move(*verdict));
}

bool HttpSite::awaits_needs(const Route& route, const HttpRequest& http, HttpReply& reply, std::string_view page,
                            const registry::PrincipalPtr& principal) {
  Route::Fetch fetch = route.needs ? route.needs(http, principal) : Route::Fetch();
  if (!fetch) return false;
  auto done = known_.hold_for(reply, http.client, principal);
  if (done) {
    fetch(std::move(*done));
  } else {
    deny(http, reply, page, cannot_fetch_needs("too many are waiting for that"));
  }
  return true;
}

void HttpSite::on_refusal(const HttpRequest& http, std::vector<Header>& headers) {
  if (!access_.is_from_page(http)) return;
  const auto more = readable_by(page_of(http));
  headers.insert(headers.end(), more.begin(), more.end());
}

}  // namespace collet::protocol
