#include "client/remote/lane_gate.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <optional>

#include "client/net/text.h"
#include "client/net/url.h"

namespace collet::client {
namespace {

// The path of a URL as a request line can have it; empty: libcurl would change it, or send something else besides.
std::string path_of(std::string_view url) {
  if (origin_of(url).empty()) return {};
  const std::string_view rest = url.substr(url.find("://") + 3);
  const std::size_t slash = rest.find_first_of("/?#");
  if (rest.substr(0, slash).find('@') != std::string_view::npos) return {};
  std::string_view path = slash == std::string_view::npos ? "/" : rest.substr(slash);
  path = path.substr(0, path.find('#'));
  const bool plain = std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (!plain || path.find("/.") != std::string_view::npos) return {};
  return path.starts_with('/') ? std::string(path) : "/" + std::string(path);
}

// The first of these variables that is set; empty: none.
std::string_view first_set(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const char* value = std::getenv(name); value && *value) return value;
  }
  return {};
}

// Whether a list such as "a.example, .b.example" has the host, or a domain that it is in. libcurl understands more of
// such a list; where it does, there is no lane.
bool has_host(std::string_view list, std::string_view host) {
  if (list == "*") return true;
  while (!list.empty()) {
    const std::size_t end = list.find_first_of(", ");
    std::string_view one = list.substr(0, end);
    list = end == std::string_view::npos ? std::string_view() : list.substr(end + 1);
    if (one.starts_with('.')) one.remove_prefix(1);
    if (one.empty() || one.size() > host.size()) continue;
    const std::string_view before = host.substr(0, host.size() - one.size());
    if (equals_ignoring_case(host.substr(before.size()), one) && (before.empty() || before.ends_with('.'))) return true;
  }
  return false;
}

bool has_proxy(const Url& url) {
  if (url.is_loopback()) return false;  // as HttpClient has it
  const bool secure = url.scheme == "https";
  const std::string_view proxy = secure ? first_set({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
                                        : first_set({"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"});
  return !proxy.empty() && !has_host(first_set({"no_proxy", "NO_PROXY"}), url.host);
}

// Whether it says how messages are told apart, or to whom they go.
bool is_framing(std::string_view name) {
  for (const char* other : {"Host", "Connection", "Content-Length", "Transfer-Encoding", "Expect", "TE", "Trailer",
                            "Upgrade", "User-Agent", "Accept-Encoding"}) {
    if (equals_ignoring_case(name, other)) return true;
  }
  return false;
}

bool set_address(LaneRoute& route, const PeerAddress& from) {
  auto& v4 = reinterpret_cast<sockaddr_in&>(route.address);
  if (inet_pton(AF_INET, from.ip.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(from.port);
    route.address_size = sizeof v4;
    return true;
  }
  auto& v6 = reinterpret_cast<sockaddr_in6&>(route.address);
  if (inet_pton(AF_INET6, from.ip.c_str(), &v6.sin6_addr) != 1) return false;
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(from.port);
  route.address_size = sizeof v6;
  return true;
}

// Whether a caller's request may decide on a header of this name.
bool callers_may_send(const RemoteConfig& config, std::string_view name) {
  const auto same = [name](std::string_view other) { return equals_ignoring_case(name, other); };
  if (config.forward_token && same("Authorization")) return true;
  return std::any_of(config.forward_headers.begin(), config.forward_headers.end(), same) ||
         std::any_of(config.headers.begin(), config.headers.end(),
                     [&](const auto& header) { return same(header.first) && !is_constant(header.second); });
}

}  // namespace

std::string LaneRoute::without_secrets(std::string text) const {
  return redact_urls(without(std::move(text), secrets));
}

std::shared_ptr<LaneRoute> make_route(const RemoteConfig& config, const std::string& url,
                                      const PeerAddress& address, const std::string& user_agent, TlsContextPtr tls) {
  const std::string path = path_of(url);
  const std::optional<Url> target = parse_url(url);
  auto route = std::make_shared<LaneRoute>();
  if (path.empty() || !target || has_proxy(*target) || !set_address(*route, address)) return nullptr;
  if (target->scheme == "https") {
    if (!tls) return nullptr;
    route->tls = std::move(tls);
  }
  const auto& forwarded = config.forward_headers;
  if (std::any_of(forwarded.begin(), forwarded.end(), is_framing)) return nullptr;
  if (std::any_of(config.headers.begin(), config.headers.end(),
                  [](const auto& header) { return is_framing(header.first); })) {
    return nullptr;
  }
  route->config = config;
  route->preamble = "POST " + path + " HTTP/1.1\r\nHost: " + origin_of(url).substr(target->scheme.size() + 3) +
                    "\r\nUser-Agent: " + user_agent + "\r\n";
  return route;
}

bool authorize(LaneRoute& route, const LastingHeaders& given) {
  for (const HttpHeader& header : given.headers) {
    if (callers_may_send(route.config, header.name)) return false;
    std::erase_if(route.sender.headers,
                  [&](const HttpHeader& other) { return equals_ignoring_case(other.name, header.name); });
    route.sender.headers.push_back(header);
  }
  route.good_until = given.good_until;
  return true;
}

// A route of its own for each loop, whose references it counts alone.
void LaneGate::open(LaneRoutePtr route) {
  ++openings_;
  for (Part& part : parts_) {
    const auto copy = route ? std::make_shared<LaneRoute>(*route) : nullptr;
    if (copy) copy->opening = openings_;
    LaneRoutePtr own = copy;
    const std::lock_guard lock(part.mutex);
    part.route.swap(own);
  }
}

bool LaneGate::shut_after(std::uint64_t opening) {
  if (opening != openings_) return false;
  shut();
  return true;
}

LaneRoutePtr LaneGate::enter(unsigned loop) {
  Part& part = parts_[loop];
  const std::lock_guard lock(part.mutex);
  if (!part.route || (part.route->good_until != 0 && clock_() >= part.route->good_until)) return nullptr;
  ++part.calls;
  return part.route;
}

void LaneGate::leave(unsigned loop) {
  Part& part = parts_[loop];
  bool emptied;
  {
    const std::lock_guard lock(part.mutex);
    emptied = --part.calls == 0 && !part.route;
  }
  if (emptied) emptied_();
}

unsigned LaneGate::calls() const {
  unsigned sum = 0;
  for (const Part& part : parts_) {
    const std::lock_guard lock(part.mutex);
    sum += part.calls;
  }
  return sum;
}

}  // namespace collet::client
