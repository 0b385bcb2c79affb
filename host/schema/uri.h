// URI references (RFC 3986) and their fragments.
#pragma once

#include <string>
#include <string_view>

namespace collet::schema {

// The reference against the base (§5.2). A base without a scheme is allowed and resolves as far as it goes.
std::string resolve_uri(std::string_view base, std::string_view reference);

struct UriParts {
  std::string_view document;  // without '#'
  std::string_view fragment;  // still percent-encoded
};
UriParts split_fragment(std::string_view uri);

std::string percent_decode(std::string_view text);

}  // namespace collet::schema
