#include "schema/char_set.h"

#include <algorithm>

namespace collet::schema {
namespace {

constexpr std::uint32_t kSurrogateFirst = 0xd800;
constexpr std::uint32_t kSurrogateLast = 0xdfff;

}  // namespace

void CharSet::add(const CharSet& other) {
  ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end());
}

std::vector<CharSet::Range> CharSet::ranges() const {
  std::vector<Range> parts;
  for (const Range& range : ranges_) {
    if (range.first < kSurrogateFirst) parts.push_back({range.first, std::min(range.last, kSurrogateFirst - 1)});
    if (range.last > kSurrogateLast) parts.push_back({std::max(range.first, kSurrogateLast + 1), range.last});
  }
  std::sort(parts.begin(), parts.end(), [](const Range& a, const Range& b) { return a.first < b.first; });
  std::vector<Range> result;
  for (const Range& part : parts) {
    if (!result.empty() && part.first <= result.back().last + 1) {
      result.back().last = std::max(result.back().last, part.last);
    } else {
      result.push_back(part);
    }
  }
  return result;
}

CharSet CharSet::complement() const {
  CharSet result;
  std::uint32_t next = 0;
  for (const Range& range : ranges()) {
    if (range.first > next) result.add(next, range.first - 1);
    next = range.last + 1;
  }
  if (next <= kCodePointMax) result.add(next, kCodePointMax);
  return result;
}

const CharSet& CharSet::digits() {
  static const CharSet set{{'0', '9'}};
  return set;
}

const CharSet& CharSet::word() {
  static const CharSet set{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
  return set;
}

const CharSet& CharSet::space() {
  static const CharSet set{{'\t', '\r'},     {' ', ' '},       {0xa0, 0xa0},     {0x1680, 0x1680},
                           {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f},
                           {0x3000, 0x3000}, {0xfeff, 0xfeff}};
  return set;
}

const CharSet& CharSet::any_in_line() {
  static const CharSet set = CharSet{{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}.complement();
  return set;
}

void append_utf8(std::string& out, std::uint32_t c) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | c >> 6), put(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    put(0xe0 | c >> 12), put(0x80 | (c >> 6 & 0x3f)), put(0x80 | (c & 0x3f));
  } else {
    put(0xf0 | c >> 18), put(0x80 | (c >> 12 & 0x3f)), put(0x80 | (c >> 6 & 0x3f)), put(0x80 | (c & 0x3f));
  }
}

std::uint32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  const unsigned more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
  if (more == 0 || text.size() - at < more) return lead;
  std::uint32_t c = lead & (0x3fu >> more);
  for (unsigned i = 0; i < more; ++i) c = c << 6 | (static_cast<unsigned char>(text[at++]) & 0x3f);
  return c;
}

}  // namespace collet::schema
