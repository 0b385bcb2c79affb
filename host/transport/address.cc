#include <arpa/inet.h>

#include <charconv>

#include "transport/http.h"

namespace collet::transport {
namespace {

constexpr std::string_view kForms =
    "use http://HOST:PORT, https://HOST:PORT or unix:/PATH, with an IPv6 host in brackets";

Error bad_address(std::string_view url, std::string_view why) {
  return error("cannot read the address \"{}\": {}; {}", url, why, kForms);
}

bool is_ipv6(const std::string& host) {
  in6_addr parsed;
  return inet_pton(AF_INET6, host.c_str(), &parsed) == 1;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

Result<Address> Address::parse(std::string_view url) {
  std::string_view rest = url;
  Address address;
  if (take_prefix(rest, "unix:")) {
    if (rest.empty()) return bad_address(url, "the path is missing");
    if (rest.find('\0') != rest.npos) return bad_address(url, "the path contains a NUL");
    address.scheme = Scheme::unix_socket;
    address.host = rest;
    return address;
  }
  if (take_prefix(rest, "https://")) {
    address.scheme = Scheme::https;
    address.port = 443;
  } else if (take_prefix(rest, "http://")) {
    address.port = 80;
  } else {
    return bad_address(url, "the scheme is missing or unknown");
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#@") != rest.npos) return bad_address(url, "only a host and a port are allowed");

  if (take_prefix(rest, "[")) {
    const std::size_t end = rest.find(']');
    address.host = rest.substr(0, end);
    if (end == rest.npos || !is_ipv6(address.host)) return bad_address(url, "the brackets hold no IPv6 address");
    rest.remove_prefix(end + 1);
  } else {
    address.host = rest.substr(0, rest.find(':'));
    rest.remove_prefix(address.host.size());
  }
  if (address.host.empty()) return bad_address(url, "the host is missing");
  if (rest.empty()) return address;
  if (rest.front() != ':') return bad_address(url, "a colon and a port must follow the host");
  rest.remove_prefix(1);
  const auto [end, failure] = std::from_chars(rest.data(), rest.data() + rest.size(), address.port);
  if (failure != std::errc{} || end != rest.data() + rest.size())
    return bad_address(url, "the port must be a number from 0 to 65535");
  return address;
}

std::string Address::url() const {
  if (scheme == Scheme::unix_socket) return "unix:" + host;
  const char* prefix = scheme == Scheme::https ? "https" : "http";
  const bool brackets = host.find(':') != host.npos;
  return fmt::format("{}://{}{}{}:{}", prefix, brackets ? "[" : "", host, brackets ? "]" : "", port);
}

bool Address::is_loopback() const {
  if (scheme == Scheme::unix_socket || host == "localhost") return true;
  in_addr v4;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6;
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

}  // namespace collet::transport
