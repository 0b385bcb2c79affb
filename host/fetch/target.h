// Where a request goes: an absolute http or https URL, read once. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace collet::fetch {

struct Target {
  std::string url;     // in one spelling, without a fragment
  std::string scheme;  // "http" or "https"
  std::string host;    // in lower case; an address in its one form, of IPv6 without brackets
  std::uint16_t port = 0;

  std::string place() const;  // "api.example.com:443", "[::1]:80"
  bool is_of_same_origin(const Target& other) const;
  bool is_loopback() const;  // localhost and what is below it, 127.0.0.0/8, 0.0.0.0, ::1, ::
};

// A failure says why it is none: another scheme, user information, a zone, bytes that no URL has.
Result<Target> read_target(std::string_view url);
// What a Location says, seen from there.
Result<Target> resolve_target(const Target& base, std::string_view reference);

}  // namespace collet::fetch
