#include "schema/regex_syntax.h"

#include <array>
#include <map>
#include <utility>
#include <vector>

namespace collet::schema {
namespace {

constexpr unsigned kGroupsDeepMax = 200;

// Names of Unicode properties that RE2 knows only by their short form.
constexpr std::pair<std::string_view, std::string_view> kCategories[] = {
    {"Other", "C"},
    {"Control", "Cc"},
    {"cntrl", "Cc"},
    {"Format", "Cf"},
    {"Unassigned", "Cn"},
    {"Private_Use", "Co"},
    {"Surrogate", "Cs"},
    {"Letter", "L"},
    {"Cased_Letter", "LC"},
    {"Lowercase_Letter", "Ll"},
    {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"},
    {"Titlecase_Letter", "Lt"},
    {"Uppercase_Letter", "Lu"},
    {"Mark", "M"},
    {"Combining_Mark", "M"},
    {"Spacing_Mark", "Mc"},
    {"Enclosing_Mark", "Me"},
    {"Nonspacing_Mark", "Mn"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"digit", "Nd"},
    {"Letter_Number", "Nl"},
    {"Other_Number", "No"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Connector_Punctuation", "Pc"},
    {"Dash_Punctuation", "Pd"},
    {"Close_Punctuation", "Pe"},
    {"Final_Punctuation", "Pf"},
    {"Initial_Punctuation", "Pi"},
    {"Other_Punctuation", "Po"},
    {"Open_Punctuation", "Ps"},
    {"Symbol", "S"},
    {"Currency_Symbol", "Sc"},
    {"Modifier_Symbol", "Sk"},
    {"Math_Symbol", "Sm"},
    {"Other_Symbol", "So"},
    {"Separator", "Z"},
    {"Line_Separator", "Zl"},
    {"Paragraph_Separator", "Zp"},
    {"Space_Separator", "Zs"},
};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

// What one class, escape or character stands for: code points, and properties that only the engine can list.
struct Atom {
  CharSet set;
  std::string properties;
  std::optional<std::uint32_t> single;  // it is this one code point
  bool whole = false;                   // `properties` is a class of its own, in its brackets
};

class Translator {
 public:
  explicit Translator(std::string_view pattern) : in_(pattern) {}

  Result<Translation> run() {
    count_groups();
    while (at_ < in_.size() && !failure_) term();
    if (!failure_ && !groups_.empty()) fail("a group is not closed");
    if (failure_) return *failure_;
    Translation result{std::move(out_), std::nullopt};
    if (simple_ && anchored_) result.runs = CharRuns::of(runs_, closed_);
    return result;
  }

 private:
  // What the last piece was, as far as a quantifier behind it cares.
  enum class Last { nothing, atom, group, assertion };

  bool at(std::string_view token) const { return in_.substr(at_, token.size()) == token; }
  bool take(std::string_view token) {
    if (!at(token)) return false;
    at_ += token.size();
    return true;
  }
  void fail(std::string_view why) {
    if (!failure_) failure_ = error("{} at offset {}", why, at_);
  }

  // Numbers the capturing groups, so that a reference may come before its group.
  void count_groups() {
    bool in_class = false;
    for (std::size_t i = 0; i < in_.size(); ++i) {
      if (in_[i] == '\\') {
        ++i;
      } else if (in_[i] == '[' || in_[i] == ']') {
        in_class = in_[i] == '[';
      } else if (in_[i] == '(' && !in_class) {
        const bool named = in_.substr(i, 3) == "(?<" && in_.substr(i + 3, 1) != "=" && in_.substr(i + 3, 1) != "!";
        if (in_.substr(i + 1, 1) == "?" && !named) continue;
        ++group_count_;
        if (named) names_.emplace(in_.substr(i + 3, in_.find('>', i) - i - 3), group_count_);
      }
    }
  }

  void term() {
    switch (in_[at_]) {
      case '^':
        ++at_;
        assertion("\\A");
        if (out_.size() == 2) {
          anchored_ = true;
        } else {
          simple_ = false;
        }
        return;
      case '$':
        ++at_;
        assertion("\\z");
        closed_ = true;
        if (at_ != in_.size()) simple_ = false;
        return;
      case '(':
        return open();
      case ')':
        return close();
      case '|':
        ++at_;
        out_ += '|';
        last_ = Last::nothing;
        simple_ = false;
        return;
      case '*':
      case '+':
      case '?':
        return fail("nothing to repeat");
      case '\\':
        return escape();
      default:
        return put(at("[") ? character_class() : character());
    }
  }

  void assertion(std::string_view text) {
    out_ += text;
    last_ = Last::assertion;
  }

  void open() {
    simple_ = false;
    static constexpr std::string_view kPlain[] = {"(?:", "(?=", "(?!", "(?<=", "(?<!"};
    if (groups_.size() >= kGroupsDeepMax) return fail("groups are nested too deeply");
    for (std::string_view kind : kPlain) {
      if (!take(kind)) continue;
      groups_.push_back(kind == "(?:" ? Last::group : Last::assertion);
      out_ += kind;
      last_ = Last::nothing;
      return;
    }
    if (take("(?<")) {
      const std::size_t end = in_.find('>', at_);
      if (end == std::string_view::npos || end == at_) return fail("a group's name is not closed");
      at_ = end + 1;
    } else if (take("(?")) {
      return fail("unknown kind of group");
    } else {
      ++at_;
    }
    groups_.push_back(Last::group);
    out_ += '(';
    last_ = Last::nothing;
  }

  void close() {
    if (groups_.empty()) return fail("unmatched )");
    ++at_;
    out_ += ')';
    last_ = groups_.back();
    groups_.pop_back();
    quantifier();
  }

  // Appends the class to the output.
  void put(const Atom& atom) {
    if (failure_) return;
    if (atom.single) {
      put_code_point(*atom.single);
    } else if (atom.whole) {
      out_ += atom.properties;
    } else {
      put_class(atom, false);
    }
    if (!atom.properties.empty()) simple_ = false;
    if (closed_) simple_ = false;
    if (simple_) runs_.push_back({atom.set});
    last_ = Last::atom;
    quantifier();
  }

  void put_code_point(std::uint32_t c) {
    if (c < 0x80 && (is_digit(static_cast<char>(c)) || is_letter(static_cast<char>(c)))) {
      out_ += static_cast<char>(c);
    } else if (c < 0x80) {
      out_ += fmt::format("\\x{{{:x}}}", c);
    } else {
      append_utf8(out_, c);
    }
  }

  void put_class(const Atom& atom, bool negated) {
    const auto ranges = atom.set.ranges();
    if (ranges.empty() && atom.properties.empty()) {
      out_ += negated ? "[\\x{0}-\\x{10ffff}]" : "[^\\x{0}-\\x{10ffff}]";
      return;
    }
    out_ += negated ? "[^" : "[";
    for (const CharSet::Range& range : ranges) {
      out_ += fmt::format("\\x{{{:x}}}", range.first);
      if (range.last != range.first) out_ += fmt::format("-\\x{{{:x}}}", range.last);
    }
    out_ += atom.properties;
    out_ += ']';
  }

  Atom character() {
    const std::uint32_t c = next_code_point(in_, at_);
    if (c == '.') return {CharSet::any_in_line(), {}, std::nullopt};
    return single(c);
  }

  static Atom single(std::uint32_t c) { return {CharSet{{c, c}}, {}, c}; }

  void escape() {
    if (take("\\b") || take("\\B")) {
      simple_ = false;
      return assertion(in_.substr(at_ - 2, 2));
    }
    const char next = at_ + 1 < in_.size() ? in_[at_ + 1] : '\0';
    if (next >= '1' && next <= '9') return back_reference();
    if (next == 'k') return named_reference();
    put(class_escape(false));
  }

  void back_reference() {
    ++at_;
    unsigned group = 0;
    while (at_ < in_.size() && is_digit(in_[at_]) && group <= group_count_) {
      group = group * 10 + static_cast<unsigned>(in_[at_++] - '0');
    }
    refer(group);
  }

  void named_reference() {
    at_ += 2;
    const std::size_t end = in_.find('>', at_);
    if (!at("<") || end == std::string_view::npos) return fail("\\k without the name of a group");
    const auto found = names_.find(in_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    refer(found == names_.end() ? 0 : found->second);
  }

  void refer(unsigned group) {
    if (group == 0 || group > group_count_) return fail("a reference to a group that does not exist");
    simple_ = false;
    out_ += fmt::format("\\g{{{}}}", group);
    last_ = Last::group;
    quantifier();
  }

  // One escape that stands for characters, in a class or outside.
  Atom class_escape(bool in_class) {
    ++at_;
    if (at_ == in_.size()) {
      fail("a backslash at the end");
      return {};
    }
    const char c = in_[at_++];
    switch (c) {
      case 'd':
        return {CharSet::digits(), {}, std::nullopt};
      case 'D':
        return {CharSet::digits().complement(), {}, std::nullopt};
      case 'w':
        return {CharSet::word(), {}, std::nullopt};
      case 'W':
        return {CharSet::word().complement(), {}, std::nullopt};
      case 's':
        return {CharSet::space(), {}, std::nullopt};
      case 'S':
        return {CharSet::space().complement(), {}, std::nullopt};
      case 'p':
      case 'P':
        return property(c);
      case 't':
        return single('\t');
      case 'n':
        return single('\n');
      case 'v':
        return single('\v');
      case 'f':
        return single('\f');
      case 'r':
        return single('\r');
      case 'c':
        return control();
      case 'x':
        return single(hex_digits(2, 2));
      case 'u':
        return single(unicode_escape());
      case 'b':
        if (in_class) return single('\b');
        break;
      case '0':
        if (at_ == in_.size() || !is_digit(in_[at_])) return single(0);
        break;
      default:
        --at_;
        if (static_cast<unsigned char>(c) >= 0x80 || (!is_letter(c) && !is_digit(c))) {
          return single(next_code_point(in_, at_));
        }
    }
    fail(fmt::format("unknown escape \\{}", c));
    return {};
  }

  Atom control() {
    if (at_ == in_.size() || !is_letter(in_[at_])) {
      fail("\\c without a letter");
      return {};
    }
    return single(static_cast<unsigned>(in_[at_++]) % 32);
  }

  std::uint32_t hex_digits(unsigned min, unsigned max) {
    std::uint32_t value = 0;
    unsigned count = 0;
    for (; count < max && at_ < in_.size() && hex_digit(in_[at_]) >= 0; ++count) {
      value = value << 4 | static_cast<std::uint32_t>(hex_digit(in_[at_++]));
    }
    if (count < min) fail("too few hexadecimal digits");
    return value;
  }

  std::uint32_t unicode_escape() {
    if (take("{")) {
      const std::uint32_t value = hex_digits(1, 6);
      if (value > kCodePointMax) fail("beyond Unicode");
      if (!take("}")) fail("\\u{ is not closed");
      return value;
    }
    const std::uint32_t lead = hex_digits(4, 4);
    if (lead < 0xd800 || lead > 0xdbff || !at("\\u") || at("\\u{")) return lead;
    const std::size_t here = at_;
    at_ += 2;
    const std::uint32_t trail = hex_digits(4, 4);
    if (trail >= 0xdc00 && trail <= 0xdfff) return 0x10000 + ((lead - 0xd800) << 10 | (trail - 0xdc00));
    at_ = here;
    return lead;
  }

  Atom property(char kind) {
    const std::size_t end = in_.find('}', at_);
    if (!at("{") || end == std::string_view::npos) {
      fail("\\p without {name}");
      return {};
    }
    std::string_view value = in_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    for (std::string_view prefix : {"General_Category=", "gc=", "Script_Extensions=", "scx=", "Script=", "sc="}) {
      if (value.substr(0, prefix.size()) == prefix) value.remove_prefix(prefix.size());
    }
    for (char c : value) {
      if (!is_letter(c) && !is_digit(c) && c != '_') fail("not the name of a Unicode property");
    }
    if (value == "Any") return {kind == 'p' ? CharSet{{0, kCodePointMax}} : CharSet{}, {}, std::nullopt};
    if (value == "ASCII") {
      const CharSet ascii{{0, 0x7f}};
      return {kind == 'p' ? ascii : ascii.complement(), {}, std::nullopt};
    }
    for (const auto& [name, category] : kCategories) {
      if (name == value) value = category;
    }
    return {{}, fmt::format("\\{}{{{}}}", kind, value), std::nullopt};
  }

  Atom character_class() {
    ++at_;
    const bool negated = take("^");
    Atom all;
    while (!failure_ && !at("]")) {
      if (at_ == in_.size()) fail("a class is not closed");
      if (!failure_) class_range(all);
    }
    if (failure_) return all;
    ++at_;
    if (!negated) return all;
    if (all.properties.empty()) return {all.set.complement(), {}, std::nullopt};
    // Only the engine can complement a property.
    std::string before = std::exchange(out_, {});
    put_class(all, true);
    return {{}, std::exchange(out_, std::move(before)), std::nullopt, true};
  }

  Atom class_atom() { return at("\\") ? class_escape(true) : single(next_code_point(in_, at_)); }

  void class_range(Atom& all) {
    const Atom first = class_atom();
    if (failure_) return;
    const bool range = at("-") && at_ + 1 < in_.size() && in_[at_ + 1] != ']';
    if (!range || !first.single) {
      all.set.add(first.set);
      all.properties += first.properties;
      return;
    }
    ++at_;
    const Atom last = class_atom();
    if (failure_) return;
    if (!last.single) {  // [a-\d]: the three of them
      all.set.add(first.set);
      all.set.add('-', '-');
      all.set.add(last.set);
      all.properties += last.properties;
    } else if (*last.single < *first.single) {
      fail("a range is out of order");
    } else {
      all.set.add(*first.single, *last.single);
    }
  }

  void quantifier() {
    if (at_ == in_.size()) return;
    std::uint32_t min = 0;
    std::uint32_t max = CharRuns::kUnbounded;
    const std::size_t begin = at_;
    if (take("*")) {
    } else if (take("+")) {
      min = 1;
    } else if (take("?")) {
      max = 1;
    } else if (!braces(min, max)) {
      return;
    }
    if (last_ == Last::assertion) return fail("nothing to repeat");
    out_ += in_.substr(begin, at_ - begin);
    if (take("?")) out_ += '?';
    if (min > max) return fail("a repetition is out of order");
    if (!runs_.empty()) {
      runs_.back().min = min;
      runs_.back().max = max;
    }
    if (at("*") || at("+") || at("?") || braces(min, max)) fail("nothing to repeat");
  }

  // {n}, {n,} or {n,m}; anything else in braces is text.
  bool braces(std::uint32_t& min, std::uint32_t& max) {
    const std::size_t begin = at_;
    if (!take("{") || !number(min)) return at_ = begin, false;
    if (!take(",")) {
      max = min;
    } else if (!at("}") && !number(max)) {
      return at_ = begin, false;
    }
    if (!take("}")) return at_ = begin, false;
    return true;
  }

  bool number(std::uint32_t& value) {
    constexpr std::uint32_t kEnough = 1'000'000;
    const std::size_t begin = at_;
    value = 0;
    while (at_ < in_.size() && is_digit(in_[at_])) {
      value = std::min(kEnough, value * 10 + static_cast<std::uint32_t>(in_[at_++] - '0'));
    }
    return at_ != begin;
  }

  std::string_view in_;
  std::size_t at_ = 0;
  std::string out_;
  std::optional<Error> failure_;
  Last last_ = Last::nothing;
  std::vector<Last> groups_;  // open ones: what each will be once it is closed
  unsigned group_count_ = 0;
  std::map<std::string_view, unsigned> names_;

  std::vector<CharRuns::Run> runs_;
  bool simple_ = true;     // so far it is a row of runs
  bool anchored_ = false;  // it begins with ^
  bool closed_ = false;    // it ends with $
};

}  // namespace

Result<Translation> translate_regex(std::string_view pattern) { return Translator(pattern).run(); }

}  // namespace collet::schema
