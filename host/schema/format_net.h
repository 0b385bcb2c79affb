// The formats of names and addresses on a network.
#pragma once

#include <string_view>

namespace collet::schema {

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_hex(char c) { return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); }

bool is_email(std::string_view text);         // RFC 5321
bool is_idn_email(std::string_view text);     // RFC 6531
bool is_hostname(std::string_view text);      // RFC 1123, A-labels as RFC 5891 has them
bool is_idn_hostname(std::string_view text);  // RFC 5890
bool is_ipv4(std::string_view text);          // RFC 2673
bool is_ipv6(std::string_view text);          // RFC 4291
bool is_uri(std::string_view text);           // RFC 3986
bool is_uri_reference(std::string_view text);
bool is_iri(std::string_view text);  // RFC 3987
bool is_iri_reference(std::string_view text);

}  // namespace collet::schema
