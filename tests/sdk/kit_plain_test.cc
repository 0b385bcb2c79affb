#include <collet/kit/plain.hpp>
#include <string>
#include <vector>

#include "support/catch.h"

using namespace collet::kit;

TEST_CASE("each of the 256 bytes is told from plain ASCII, at every place of a text of every length") {
  for (std::size_t size = 1; size <= 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (unsigned byte = 0; byte < 0x100; ++byte) {
        // On the heap and exactly as large, so that a read past its end is seen.
        std::vector<char> text(size, 'x');
        text[at] = static_cast<char>(byte);
        const bool plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
        const char* const end = text.data() + size;
        if (skip_plain_ascii(text.data(), end) != (plain ? end : text.data() + at)) FAIL(byte << " at " << at << " of " << size);
        if (is_plain_ascii(text[at]) != plain) FAIL(byte);
      }
    }
  }
}

TEST_CASE("of nothing nothing is read") { CHECK(skip_plain_ascii(nullptr, nullptr) == nullptr); }
