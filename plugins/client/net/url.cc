#include "client/net/url.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>

#include "client/limits.h"
#include "client/net/text.h"

namespace collet::client {
namespace {

constexpr std::uint16_t own_port(std::string_view scheme) { return scheme == "https" ? 443 : 80; }

bool is_url_byte(char c) { return c > ' ' && c < 0x7f && c != '"' && c != '<' && c != '>' && c != '\\'; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_unreserved(char c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '.' || c == '_' || c == '~';
}

// A name, or an address in its one form; empty for anything else. An HTTP client undoes escapes in a host and takes
// 0x7f.1 and 2130706433 for 127.0.0.1: what we check has to be where it goes.
std::string parse_host(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    in6_addr address;
    char printed[INET6_ADDRSTRLEN];
    if (inet_pton(AF_INET6, std::string(text.substr(1, text.size() - 2)).c_str(), &address) != 1) return {};
    return "[" + std::string(inet_ntop(AF_INET6, &address, printed, sizeof printed)) + "]";
  }
  const bool is_name = std::all_of(text.begin(), text.end(), [](char c) { return c != '~' && is_unreserved(c); });
  if (!is_name) return {};
  in_addr address;
  char printed[INET_ADDRSTRLEN];
  if (inet_aton(std::string(text).c_str(), &address) == 0) return lower(text);
  return inet_ntop(AF_INET, &address, printed, sizeof printed);
}

// "host", "host:port" or "[address]:port" into `url`.
bool parse_authority(std::string_view authority, Url& url) {
  const auto bracket = authority.find(']');
  const auto colon = authority.find(':', bracket == authority.npos ? 0 : bracket);
  url.host = parse_host(authority.substr(0, colon));
  if (url.host.empty()) return false;
  url.port = own_port(url.scheme);
  if (colon == authority.npos) return true;
  const std::string_view digits = authority.substr(colon + 1);
  const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), url.port);
  return status == std::errc{} && end == digits.data() + digits.size() && url.port != 0;
}

bool is_this_machine(std::uint32_t ipv4) { return ipv4 == INADDR_ANY || ipv4 >> 24 == IN_LOOPBACKNET; }

std::optional<in6_addr> ipv6_of(const std::string& host) {
  in6_addr address;
  if (host.front() != '[') return std::nullopt;
  if (inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &address) != 1) return std::nullopt;
  return address;
}

// Also of an IPv6 address that stands for one.
std::optional<std::uint32_t> ipv4_of(const std::string& host) {
  in_addr address;
  if (inet_pton(AF_INET, host.c_str(), &address) == 1) return ntohl(address.s_addr);
  const std::optional<in6_addr> v6 = ipv6_of(host);
  if (!v6 || !IN6_IS_ADDR_V4MAPPED(&*v6)) return std::nullopt;
  std::memcpy(&address, v6->s6_addr + 12, sizeof address);
  return ntohl(address.s_addr);
}

std::string path_of_document(const Url& url) { return url.path == "/" ? "" : url.path; }

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char letter = lower(c);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

bool form_decode_into(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low < 0) return false;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return true;
}

bool names_secret(std::string_view name) {
  constexpr std::string_view kWords[] = {"token",  "secret", "pass",   "pwd",     "key", "auth", "cred",
                                         "header", "cookie", "bearer", "session", "sig", "code"};
  std::string plain;
  if (!form_decode_into(name, plain)) plain = name;
  plain = lower(plain);
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](std::string_view word) { return plain.find(word) != plain.npos; });
}

void append_redacted_pairs(std::string& out, std::string_view pairs) {
  while (true) {
    const auto end = std::min(pairs.find_first_of("&;"), pairs.size());
    const std::string_view pair = pairs.substr(0, end);
    const auto equals = pair.find('=');
    const bool secret = equals != pair.npos && names_secret(pair.substr(0, equals));
    out += secret ? std::string(pair.substr(0, equals + 1)) + "***" : std::string(pair);
    if (end == pairs.size()) return;
    out += pairs[end];
    pairs.remove_prefix(end + 1);
  }
}

}  // namespace

std::string Url::origin() const {
  std::string out = scheme + "://" + host;
  if (port != own_port(scheme)) out += ":" + std::to_string(port);
  return out;
}

std::string Url::without_query() const { return origin() + path; }

bool Url::is_loopback() const {
  if (const std::optional<std::uint32_t> v4 = ipv4_of(host)) return is_this_machine(*v4);
  if (const std::optional<in6_addr> v6 = ipv6_of(host))
    return IN6_IS_ADDR_LOOPBACK(&*v6) || IN6_IS_ADDR_UNSPECIFIED(&*v6);
  const std::string_view name = std::string_view(host).substr(0, host.size() - host.ends_with('.'));
  return name == "localhost" || name.ends_with(".localhost");
}

bool Url::is_private() const {
  if (is_loopback()) return true;
  if (const std::optional<std::uint32_t> v4 = ipv4_of(host)) {
    return *v4 >> 24 == 10 || *v4 >> 20 == 0xac1 || *v4 >> 16 == 0xc0a8 || *v4 >> 16 == 0xa9fe ||
           *v4 >> 22 == 0x191;
  }
  const std::optional<in6_addr> v6 = ipv6_of(host);
  return v6 && (IN6_IS_ADDR_LINKLOCAL(&*v6) || IN6_IS_ADDR_SITELOCAL(&*v6) || (v6->s6_addr[0] & 0xfe) == 0xfc);
}

std::optional<Url> parse_url(std::string_view text) {
  if (text.size() > limits::kUrlBytesMax || !std::all_of(text.begin(), text.end(), is_url_byte))
    return std::nullopt;
  Url url;
  const auto scheme_end = text.find("://");
  if (scheme_end == text.npos) return std::nullopt;
  url.scheme = lower(text.substr(0, scheme_end));
  if (url.scheme != "http" && url.scheme != "https") return std::nullopt;
  text.remove_prefix(scheme_end + 3);
  text = text.substr(0, text.find('#'));
  const auto authority_end = text.find_first_of("/?");
  if (!parse_authority(text.substr(0, authority_end), url)) return std::nullopt;
  if (authority_end == text.npos) return url;
  text.remove_prefix(authority_end);
  const auto query = text.find('?');
  url.path = text.substr(0, query);
  if (query != text.npos) url.query = text.substr(query + 1);
  return url;
}

std::string origin_of(std::string_view url) {
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos) return {};
  std::string origin(url.substr(0, url.find_first_of("/?#", colon + 3)));
  if (const std::size_t at = origin.rfind('@'); at != std::string::npos) origin.erase(colon + 3, at - colon - 2);
  std::transform(origin.begin(), origin.end(), origin.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const bool secure = origin.starts_with("https://");
  if (!secure && !origin.starts_with("http://")) return {};
  if (origin.size() == colon + 3) return {};  // libcurl finds a host further on
  const std::string_view usual = secure ? ":443" : ":80";
  if (origin.ends_with(usual) && origin.size() > usual.size()) origin.resize(origin.size() - usual.size());
  return origin;
}

Result<Url> trusted_url(std::string_view text, const Url& remote, std::string_view what) {
  const auto refuse = [&](const char* why) {
    return Error{std::string(what) + " '" + std::string(text) + "' is refused: " + why};
  };
  std::optional<Url> url = parse_url(text);
  if (!url) return refuse("it is not an absolute http or https URL");
  if (url->is_loopback() && !remote.is_loopback())
    return refuse("it points at this machine, and the server is not on it");
  if (url->scheme == "http" && !url->is_loopback())
    return refuse("without TLS anybody on the way could read it; it must be https");
  if (url->is_private() && !remote.is_private())
    return refuse("it is an address of a private network, and the server is not on one");
  return std::move(*url);
}

std::string well_known(const Url& url, std::string_view name) {
  std::string out = url.origin() + "/.well-known/" + std::string(name) + path_of_document(url);
  if (!url.query.empty()) out += "?" + url.query;
  return out;
}

std::string well_known_appended(const Url& url, std::string_view name) {
  std::string path = url.path;
  if (!path.empty() && path.back() == '/') path.pop_back();
  return url.origin() + path + "/.well-known/" + std::string(name);
}

bool resource_covers(const Url& resource, const Url& url) {
  if (resource.origin() != url.origin()) return false;
  std::string_view prefix = resource.path;
  if (!prefix.empty() && prefix.back() == '/') prefix.remove_suffix(1);
  if (url.path.compare(0, prefix.size(), prefix) != 0) return false;
  const bool at_segment_end = url.path.size() == prefix.size() || url.path[prefix.size()] == '/';
  return at_segment_end && (resource.query.empty() || resource.query == url.query);
}

std::string redact_url(std::string_view url) {
  const auto scheme_end = url.find("://");
  const auto authority = scheme_end == url.npos ? 0 : scheme_end + 3;
  const auto authority_end = std::min(url.find_first_of("/?#\\", authority), url.size());
  const auto at = url.substr(0, authority_end).rfind('@');
  const bool has_user = scheme_end != url.npos && at != url.npos && at >= authority;
  std::string out(url.substr(0, authority));
  if (has_user) out += "***@";
  url.remove_prefix(has_user ? at + 1 : authority);
  const auto path_end = std::min(url.find_first_of("?#"), url.size());
  out += url.substr(0, path_end);
  url.remove_prefix(path_end);
  while (!url.empty()) {  // the query, then the fragment
    const auto end = std::min(url.find('#', 1), url.size());
    out += url.front();
    append_redacted_pairs(out, url.substr(1, end - 1));
    url.remove_prefix(end);
  }
  return out;
}

std::string redact_urls(std::string_view text) {
  constexpr std::string_view kScheme = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-";
  std::string out;
  for (auto colon = text.find("://"); colon != text.npos; colon = text.find("://")) {
    const auto before = text.substr(0, colon).find_last_not_of(kScheme);
    const auto begin = before == text.npos ? 0 : before + 1;
    const auto end = std::min(text.find_first_of(" \t\r\n\"'`<>", colon), text.size());
    out += text.substr(0, begin);
    out += redact_url(text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
  return out += text;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
    } else {
      out += '%';
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[static_cast<unsigned char>(c) & 15];
    }
  }
  return out;
}

std::string form_encode(const Form& form) {
  std::string out;
  for (const auto& [name, value] : form) {
    if (!out.empty()) out += '&';
    out += percent_encode(name) + "=" + percent_encode(value);
  }
  return out;
}

Result<Form> form_decode(std::string_view text) {
  Form form;
  while (!text.empty()) {
    const auto end = text.find('&');
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto& [name, value] = form.emplace_back();
    const bool decoded = form_decode_into(pair.substr(0, equals), name) &&
                         (equals == pair.npos || form_decode_into(pair.substr(equals + 1), value));
    if (!decoded) return Error{"a query has a '%' without two hexadecimal digits after it"};
  }
  return form;
}

const std::string* find(const Form& form, std::string_view name) {
  const auto at = std::find_if(form.begin(), form.end(), [&](const auto& field) { return field.first == name; });
  return at == form.end() ? nullptr : &at->second;
}

std::string with_query(std::string_view url, const Form& form) {
  std::string out(url.substr(0, url.find('#')));
  out += out.find('?') == out.npos ? '?' : '&';
  return out + form_encode(form);
}

}  // namespace collet::client
