#include "schema/char_runs.h"

namespace collet::schema {
namespace {

constexpr std::size_t kRunsMax = 64;
constexpr std::uint32_t kAsciiEnd = 0x80;
constexpr std::uint32_t kLineSeparator = 0x2028;
constexpr std::uint32_t kParagraphSeparator = 0x2029;

}  // namespace

std::optional<CharRuns::Class> CharRuns::classify(const Run& run) {
  Class result;
  result.min = run.min;
  result.max = run.max;
  CharSet beyond;
  for (const CharSet::Range& range : run.set.ranges()) {
    for (std::uint32_t c = range.first; c <= range.last && c < kAsciiEnd; ++c) {
      result.ascii[c >> 6] |= std::uint64_t{1} << (c & 63);
    }
    if (range.last >= kAsciiEnd) beyond.add(std::max(range.first, kAsciiEnd), range.last);
  }
  if (beyond.ranges().empty()) return result;
  // Of what lies beyond ASCII only "all" and "all but the line separators" are known here.
  beyond.add(0, kAsciiEnd - 1);
  const auto missing = beyond.complement().ranges();
  result.beyond = true;
  result.line_separators = missing.empty();
  if (missing.empty()) return result;
  if (missing.size() == 1 && missing[0].first == kLineSeparator && missing[0].last == kParagraphSeparator)
    return result;
  return std::nullopt;
}

bool CharRuns::disjoint(const Class& a, const Class& b) {
  return !(a.ascii[0] & b.ascii[0]) && !(a.ascii[1] & b.ascii[1]) && !(a.beyond && b.beyond);
}

std::optional<CharRuns> CharRuns::of(const std::vector<Run>& runs, bool to_end) {
  if (runs.size() > kRunsMax) return std::nullopt;
  CharRuns result;
  result.to_end_ = to_end;
  for (const Run& run : runs) {
    auto known = classify(run);
    if (!known) return std::nullopt;
    result.classes_.push_back(*known);
  }
  // Taking as much as possible is right only where what may follow cannot begin with the same characters.
  const auto& classes = result.classes_;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    if (classes[i].min == classes[i].max) continue;
    for (std::size_t next = i + 1; next < classes.size(); ++next) {
      if (!disjoint(classes[i], classes[next])) return std::nullopt;
      if (classes[next].min > 0) break;
    }
  }
  return result;
}

bool CharRuns::matches(std::string_view text) const {
  const char* p = text.data();
  const char* const end = p + text.size();
  for (const Class& wanted : classes_) {
    std::uint32_t count = 0;
    for (; count < wanted.max && p != end; ++count) {
      const auto c = static_cast<unsigned char>(*p);
      if (c < kAsciiEnd) {
        if (!wanted.has(c)) break;
        ++p;
        continue;
      }
      if (!wanted.beyond) break;
      std::size_t length = 0;
      const std::uint32_t code_point = next_code_point({p, static_cast<std::size_t>(end - p)}, length);
      if (!wanted.line_separators && (code_point == kLineSeparator || code_point == kParagraphSeparator)) break;
      p += length;
    }
    if (count < wanted.min) return false;
  }
  return !to_end_ || p == end;
}

}  // namespace collet::schema
