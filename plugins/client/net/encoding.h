// Base64, SHA-256 and randomness. Any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace collet::client {

std::string base64(std::string_view bytes);     // RFC 4648 §4, padded
std::string base64url(std::string_view bytes);  // §5, without padding

// Nothing unless `text` is exactly what base64url() would give.
std::optional<std::string> from_base64url(std::string_view text);

std::string sha256(std::string_view bytes);  // 32 bytes

// That many random bytes, in base64url.
std::string random_text(std::size_t bytes);

}  // namespace collet::client
