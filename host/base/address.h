// Addresses of the internet, in words. Any thread.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace collet {

// "127.0.0.1:80", "[::1]:80"; nothing for what is no internet address.
std::optional<std::string> in_words(const sockaddr_storage& address);
// Likewise of an address without its port, "127.0.0.1" or "::1", in whatever way it is written; nothing for a name.
std::optional<std::string> in_words(std::string_view address, std::uint16_t port);

}  // namespace collet
