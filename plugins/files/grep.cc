#include "files/grep.h"

#include <algorithm>

#include <re2/re2.h>

#include "files/failure.h"
#include "files/utf8.h"

namespace files {
namespace {

constexpr std::size_t kRegexBytesMax = 4'096;
constexpr std::int64_t kExpressionBytesMax = 4 << 20;  // compiled, with its state cache
constexpr std::size_t kLineBytesShown = 500;
constexpr std::size_t kBytesBeforeMatchShown = 100;  // of a longer line
constexpr std::size_t kSliceBytes = 256u << 10;      // searched between two looks at `cancelled`

// `line` from shortly before `match_at` on, if it is too long to show.
std::string shown(std::string_view line, std::size_t match_at = 0) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.size() <= kLineBytesShown) return std::string(line);
  const std::size_t from = match_at > kBytesBeforeMatchShown ? match_at - kBytesBeforeMatchShown : 0;
  const auto window = line.substr(std::min(from, line.size()), kLineBytesShown);
  const bool reaches_end = window.data() + window.size() == line.data() + line.size();
  return (from > 0 ? "…" : "") + std::string(whole_characters(window)) + (reaches_end ? "" : "…");
}

// The lines of a text, told apart by offsets.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}

  std::size_t begin_of(std::size_t at) const {
    const auto newline = at == 0 ? text_.npos : text_.rfind('\n', at - 1);
    return newline == text_.npos ? 0 : newline + 1;
  }
  std::size_t end_of(std::size_t at) const { return std::min(text_.find('\n', at), text_.size()); }
  std::string_view at(std::size_t begin) const { return text_.substr(begin, end_of(begin) - begin); }

  std::vector<std::string> before(std::size_t begin, unsigned count) const {
    std::vector<std::string> lines;
    for (; count > 0 && begin > 0; --count) {
      begin = begin_of(begin - 1);
      lines.push_back(shown(at(begin)));
    }
    std::reverse(lines.begin(), lines.end());
    return lines;
  }
  std::vector<std::string> after(std::size_t end, unsigned count) const {
    std::vector<std::string> lines;
    for (; count > 0 && end + 1 < text_.size(); --count) {
      lines.push_back(shown(at(end + 1)));
      end = end_of(end + 1);
    }
    return lines;
  }

 private:
  const std::string_view text_;
};

}  // namespace

LinePattern::LinePattern(const std::string& pattern, Syntax syntax, bool ignore_case) {
  if (pattern.empty()) throw Failure("the pattern is empty: give the text to look for");
  if (pattern.size() > kRegexBytesMax) throw Failure("the pattern is too long");
  if (pattern.find('\n') != pattern.npos) throw Failure("the pattern spans lines; a match lies within one line");
  RE2::Options options;
  options.set_log_errors(false);
  options.set_never_nl(true);
  options.set_max_mem(kExpressionBytesMax);
  options.set_case_sensitive(!ignore_case);
  const bool literal = syntax == Syntax::literal;
  expression_ = std::make_unique<RE2>("(?m)" + (literal ? RE2::QuoteMeta(pattern) : pattern), options);
  if (!expression_->ok()) {
    throw Failure("\"" + pattern + "\" is not a regular expression (RE2 syntax): " + expression_->error() +
                  ". Set regex = false to search for it as plain text");
  }
}

LinePattern::~LinePattern() = default;

std::vector<LineMatch> LinePattern::find(std::string_view text, unsigned context, std::size_t matches_max,
                                         const Cancelled& cancelled) const {
  std::vector<LineMatch> matches;
  const Lines lines(text);
  std::uint64_t line = 1;
  std::size_t counted = 0;  // newlines before it are in `line`
  std::size_t at = 0;
  while (at < text.size() && matches.size() < matches_max && !cancelled()) {
    const std::size_t slice_end = lines.end_of(std::min(at + kSliceBytes, text.size()));
    re2::StringPiece found;
    while (at < slice_end + 1 && at < text.size() && matches.size() < matches_max) {
      const re2::StringPiece slice(text.data(), slice_end);
      if (!expression_->Match(slice, at, slice_end, RE2::UNANCHORED, &found, 1)) break;
      const auto match_at = static_cast<std::size_t>(found.data() - text.data());
      const std::size_t begin = lines.begin_of(match_at);
      const std::size_t end = lines.end_of(match_at);
      if (begin >= text.size()) break;  // an empty match past the last newline, where no line is
      line += static_cast<std::uint64_t>(std::count(text.begin() + counted, text.begin() + begin, '\n'));
      counted = begin;
      matches.push_back({line, shown(lines.at(begin), match_at - begin), lines.before(begin, context),
                         lines.after(end, context)});
      at = end + 1;
    }
    at = std::max(at, slice_end + 1);
  }
  return matches;
}

}  // namespace files
