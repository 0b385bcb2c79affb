// SHA-256 and randomness. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace collet::client {

std::string sha256(std::string_view bytes);  // 32 bytes

// That many random bytes, in base64url.
std::string random_text(std::size_t bytes);

}  // namespace collet::client
