// What is read must be the same however the bytes are split.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "require.h"

// `feed(bytes, sizes)` reads the bytes in pieces of these sizes plus one, in turn, or all at once if there are
// none, and returns what came of it. The input's first byte says how many of the next ones are sizes.
template <class Feed>
int same_in_any_pieces(const std::uint8_t* data, std::size_t size, Feed feed) {
  if (size == 0) return 0;
  const std::size_t count = std::min<std::size_t>(data[0] % 8, size - 1);
  const std::vector<std::uint8_t> sizes(data + 1, data + 1 + count);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1 + count, size - 1 - count);
  const auto whole = feed(bytes, {});
  require(feed(bytes, {0}) == whole);
  require(feed(bytes, sizes) == whole);
  return 0;
}
