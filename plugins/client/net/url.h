// http and https URLs, and the form encoding of queries and bodies. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/net/result.h"

namespace collet::client {

// An absolute URL. Scheme and host are in lower case; the rest is as it was written.
struct Url {
  std::string scheme;  // "http" or "https"
  std::string host;    // an address in its one form, of IPv6 with its brackets
  std::uint16_t port = 0;
  std::string path;   // begins with '/' unless empty
  std::string query;  // without its '?'

  std::string origin() const;  // without the scheme's own port
  std::string without_query() const;
  bool is_private() const;   // loopback, and addresses that are used within networks only
  bool is_loopback() const;  // localhost and what is below it, 127.0.0.0/8, 0.0.0.0, [::1], [::]
};

// Nothing for another scheme, user information, or bytes that no URL has. A fragment is dropped. libcurl's CURLU (7.88)
// does not parse it instead, since it takes what must be refused here ("https:///h", "https:/h", escapes in a host, an
// IPv6 zone, port 0), leaves one IPv6 address in two forms, and makes "https://h/" of "https://h", which is another issuer.
std::optional<Url> parse_url(std::string_view text);

// "scheme://host:port" of an http or https URL, in lower case; empty if it is none. Unlike parse_url() it takes
// one with user information, too.
std::string origin_of(std::string_view url);

// `text` parsed, if it may be trusted with tokens: https, or http to this machine; this machine only if the
// remote is on it too, and an address of a private network only if the remote is on one, so that a server elsewhere
// cannot make us call our neighbours. `what` names it in the failure.
Result<Url> trusted_url(std::string_view text, const Url& remote, std::string_view what);

// Where RFC 8414 §3.1 and RFC 9728 §3.1 put a document: the well-known name between host and path.
std::string well_known(const Url& url, std::string_view name);
// Where OpenID Connect Discovery 1.0 §4 puts it: after the path.
std::string well_known_appended(const Url& url, std::string_view name);

// Whether a token for `resource` is one for `url`: of one origin, and its path leads to url's, segment by segment.
bool resource_covers(const Url& resource, const Url& url);

// A URL for logs, lists and messages: *** instead of user information, and of what a query or fragment gives names
// such as token, key or password.
std::string redact_url(std::string_view url);
// The same of every URL in a text.
std::string redact_urls(std::string_view text);

// application/x-www-form-urlencoded, in order.
using Form = std::vector<std::pair<std::string, std::string>>;

std::string percent_encode(std::string_view text);
std::string form_encode(const Form& form);
Result<Form> form_decode(std::string_view text);
// The first value of that name; null if there is none.
const std::string* find(const Form& form, std::string_view name);

// `url` with the form added to its query.
std::string with_query(std::string_view url, const Form& form);

}  // namespace collet::client
