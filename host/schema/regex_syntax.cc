#include "schema/regex_syntax.h"

#include <fmt/format.h>

#include <map>
#include <utility>
#include <vector>

#include "schema/regex_atom.h"

namespace collet::schema {
namespace {

constexpr unsigned kGroupsDeepMax = 200;

class Translator {
 public:
  explicit Translator(std::string_view pattern) : in_{pattern, 0, {}} {}

  Result<Translation> run() {
    count_groups();
    while (!in_.ended() && !in_.failure) term();
    if (!groups_.empty()) in_.fail("a group is not closed");
    if (in_.failure) return *in_.failure;
    Translation result{std::move(out_), std::nullopt};
    if (simple_ && anchored_) result.runs = CharRuns::of(runs_, closed_);
    return result;
  }

 private:
  // What the last piece was, as far as a quantifier behind it cares.
  enum class Last { nothing, atom, group, assertion };

  // Numbers the capturing groups, so that a reference may come before its group.
  void count_groups() {
    const std::string_view text = in_.text;
    bool in_class = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\\') {
        ++i;
      } else if (text[i] == '[' || text[i] == ']') {
        in_class = text[i] == '[';
      } else if (text[i] == '(' && !in_class) {
        const bool named = text.substr(i, 3) == "(?<" && text.substr(i, 4) != "(?<=" && text.substr(i, 4) != "(?<!";
        if (text.substr(i, 2) == "(?" && !named) continue;
        ++group_count_;
        if (named) names_.emplace(text.substr(i + 3, text.find('>', i) - i - 3), group_count_);
      }
    }
  }

  void term() {
    switch (in_.peek()) {
      case '^':
        ++in_.offset;
        anchored_ |= out_.empty();
        if (!out_.empty()) simple_ = false;
        return assertion("\\A");
      case '$':
        ++in_.offset;
        closed_ = true;
        if (!in_.ended()) simple_ = false;
        return assertion("\\z");
      case '(':
        return open();
      case ')':
        return close();
      case '|':
        ++in_.offset;
        out_ += '|';
        last_ = Last::nothing;
        simple_ = false;
        return;
      case '*':
      case '+':
      case '?':
        return in_.fail("nothing to repeat");
      case '\\':
        return escape();
      default:
        return atom();
    }
  }

  void assertion(std::string_view text) {
    out_ += text;
    last_ = Last::assertion;
  }

  void open() {
    simple_ = false;
    if (groups_.size() >= kGroupsDeepMax) return in_.fail("groups are nested too deeply");
    for (std::string_view kind : {"(?:", "(?=", "(?!", "(?<=", "(?<!"}) {
      if (in_.take(kind)) return enter(kind, kind == "(?:" ? Last::group : Last::assertion);
    }
    if (in_.take("(?<")) {
      const std::size_t end = in_.text.find('>', in_.offset);
      if (end == std::string_view::npos || end == in_.offset) return in_.fail("a group's name is not closed");
      in_.offset = end + 1;
    } else if (in_.at("(?")) {
      return in_.fail("unknown kind of group");
    } else {
      ++in_.offset;
    }
    enter("(", Last::group);
  }

  // `kind` is how it is written, `whole` what it will be once it is closed.
  void enter(std::string_view kind, Last whole) {
    groups_.push_back(whole);
    out_ += kind;
    last_ = Last::nothing;
  }

  void close() {
    if (groups_.empty()) return in_.fail("unmatched )");
    ++in_.offset;
    out_ += ')';
    last_ = groups_.back();
    groups_.pop_back();
    quantifier();
  }

  void escape() {
    for (std::string_view boundary : {"\\b", "\\B"}) {
      if (!in_.take(boundary)) continue;
      simple_ = false;
      return assertion(boundary);
    }
    const char next = in_.text.substr(in_.offset).size() > 1 ? in_.text[in_.offset + 1] : '\0';
    if (next >= '1' && next <= '9') return numbered_reference();
    if (next == 'k') return named_reference();
    atom();
  }

  void atom() {
    Atom atom = read_atom(in_);
    if (in_.failure) return;
    append_atom(out_, atom);
    if (!atom.properties.empty() || closed_) simple_ = false;
    if (simple_) runs_.push_back({std::move(atom.set)});
    last_ = Last::atom;
    quantifier();
  }

  void numbered_reference() {
    ++in_.offset;
    unsigned group = 0;
    while (is_ascii_digit(in_.peek()) && group <= group_count_) {
      group = group * 10 + static_cast<unsigned>(in_.text[in_.offset++] - '0');
    }
    refer(group);
  }

  void named_reference() {
    in_.offset += 2;
    const std::size_t end = in_.text.find('>', in_.offset);
    if (!in_.at("<") || end == std::string_view::npos) return in_.fail("\\k without the name of a group");
    const auto found = names_.find(in_.text.substr(in_.offset + 1, end - in_.offset - 1));
    in_.offset = end + 1;
    refer(found == names_.end() ? 0 : found->second);
  }

  void refer(unsigned group) {
    if (group == 0 || group > group_count_) return in_.fail("a reference to a group that does not exist");
    simple_ = false;
    out_ += fmt::format("\\g{{{}}}", group);
    last_ = Last::group;
    quantifier();
  }

  // Whatever repeats the last piece, if anything does.
  void quantifier() {
    std::uint32_t min = 0;
    std::uint32_t max = CharRuns::kUnbounded;
    const std::size_t begin = in_.offset;
    if (!repetition(min, max)) return;
    if (last_ == Last::assertion) return in_.fail("nothing to repeat");
    if (min > max) return in_.fail("a repetition is out of order");
    in_.take("?");
    out_ += in_.text.substr(begin, in_.offset - begin);
    if (simple_) {
      runs_.back().min = min;
      runs_.back().max = max;
    }
    if (repetition(min, max)) in_.fail("nothing to repeat");
  }

  bool repetition(std::uint32_t& min, std::uint32_t& max) {
    if (in_.take("*")) return true;
    if (in_.take("+")) return min = 1, true;
    if (in_.take("?")) return max = 1, true;
    return braces(min, max);
  }

  // {n}, {n,} or {n,m}; anything else in braces is text.
  bool braces(std::uint32_t& min, std::uint32_t& max) {
    const std::size_t begin = in_.offset;
    const auto is_text = [&] { return in_.offset = begin, false; };
    if (!in_.take("{") || !number(min)) return is_text();
    if (!in_.take(",")) {
      max = min;
    } else if (!in_.at("}") && !number(max)) {
      return is_text();
    }
    return in_.take("}") || is_text();
  }

  bool number(std::uint32_t& value) {
    constexpr std::uint32_t kEnough = 1'000'000;
    const std::size_t begin = in_.offset;
    value = 0;
    while (is_ascii_digit(in_.peek())) {
      value = std::min(kEnough, value * 10 + static_cast<std::uint32_t>(in_.text[in_.offset++] - '0'));
    }
    return in_.offset != begin;
  }

  PatternCursor in_;
  std::string out_;
  Last last_ = Last::nothing;
  std::vector<Last> groups_;  // open ones: what each will be once it is closed
  unsigned group_count_ = 0;
  std::map<std::string_view, unsigned> names_;

  std::vector<CharRuns::Run> runs_;
  bool simple_ = true;     // so far it is a row of runs
  bool anchored_ = false;  // it begins with ^
  bool closed_ = false;    // $ has been seen
};

}  // namespace

Result<Translation> translate_regex(std::string_view pattern) { return Translator(pattern).run(); }

}  // namespace collet::schema
