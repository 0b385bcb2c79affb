#include "protocol/http/access.h"

#include <algorithm>

#include "base/text.h"

namespace collet::protocol {
namespace {

// Without the port, if the rest is one: "[::1]:80" → "[::1]".
std::string_view without_port(std::string_view authority) {
  const std::size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos || colon < authority.rfind(']') + 1) return authority;
  const std::string_view port = authority.substr(colon + 1);
  const bool digits = std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits && port.size() <= 5 ? authority.substr(0, colon) : authority;
}

bool is_loopback(std::string_view host) {
  return text::equals_ignoring_case(host, "localhost") || host == "127.0.0.1" || host == "[::1]";
}

bool listed(const std::vector<std::string>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& allowed) { return text::equals_ignoring_case(allowed, name); });
}

// RFC 6750 §2.1, with as many blanks as RFC 9110 §11.4 allows; data() is null if the credentials are of another
// kind.
std::string_view bearer_token(std::string_view credentials) {
  constexpr std::string_view kScheme = "Bearer ";
  if (!text::equals_ignoring_case(credentials.substr(0, kScheme.size()), kScheme)) return {};
  return credentials.substr(std::min(credentials.find_first_not_of(' ', kScheme.size()), credentials.size()));
}

}  // namespace

std::optional<Verdict> Access::check(const transport::HttpRequest& request) const {
  if (auto refused = check_names(request)) return std::move(*refused);
  const auto authorization = request.stated("authorization");
  const std::string_view token = bearer_token(authorization.value);
  // A bearer token has no comma; other credentials may, and then only say something else where they come twice.
  if (!authorization.agreed && (token.data() || request.count("authorization") > 1)) {
    return Refusal{400, "The Authorization headers differ\n", "Bearer realm=\"collet\", error=\"invalid_request\""};
  }
  if (!rules_.authenticator) return rules_.anybody;
  if (!authorization.value.data()) {
    return Refusal{401, "A bearer token is needed: send \"Authorization: Bearer …\"\n", "Bearer realm=\"collet\""};
  }
  if (token.empty()) return invalid_token();
  return rules_.authenticator->known({token});
}

void Access::find_out(const transport::HttpRequest& request, LateVerdict verdict) const {
  rules_.authenticator->find_out({bearer_token(request.stated("authorization").value)}, std::move(verdict));
}

std::optional<Refusal> Access::check_names(const transport::HttpRequest& request) const {
  if (auto refused = check_host(request)) return refused;
  return check_origin(request);
}

std::optional<Refusal> Access::check_host(const transport::HttpRequest& request) const {
  if (request.local || !rules_.check_host) return std::nullopt;
  // HTTP/1.0 needs no Host, and no browser speaks it, which a page could make a tool of.
  if (request.loopback && request.host.empty() && request.count("host") == 0) return std::nullopt;
  const std::string_view host = without_port(request.host);
  if (is_loopback(host) || listed(rules_.allowed_hosts, host) || listed(rules_.allowed_hosts, request.host)) {
    return std::nullopt;
  }
  return Refusal{403, "This Host is not allowed: add it to server.allowed_hosts\n", {}};
}

std::optional<Refusal> Access::check_origin(const transport::HttpRequest& request) const {
  const auto [origin, agreed] = request.stated("origin");
  if (!agreed) return Refusal{403, "The Origin headers differ\n"};
  if (!origin.data() || listed(rules_.allowed_origins, origin)) return std::nullopt;
  for (std::string_view scheme : {"http://", "https://"}) {
    if (origin.starts_with(scheme) && is_loopback(without_port(origin.substr(scheme.size())))) return std::nullopt;
  }
  return Refusal{403, "This Origin is not allowed: add it to server.allowed_origins\n", {}};
}

bool Access::is_from_page(const transport::HttpRequest& request) const {
  return request.header("origin").data() && !check_origin(request);
}

}  // namespace collet::protocol
