#include "schema/regex_atom.h"

#include <fmt/format.h>

#include <utility>

namespace collet::schema {
namespace {

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
  if (is_ascii_digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

Atom single(std::uint32_t c) { return {CharSet{{c, c}}, {}, c}; }
Atom from(CharSet set) { return {std::move(set), {}, std::nullopt}; }

std::string class_text(const Atom& atom, bool negated) {
  const auto ranges = atom.set.ranges();
  if (ranges.empty() && atom.properties.empty()) return negated ? "[\\x{0}-\\x{10ffff}]" : "[^\\x{0}-\\x{10ffff}]";
  std::string out = negated ? "[^" : "[";
  for (const CharSet::Range& range : ranges) {
    out += fmt::format("\\x{{{:x}}}", range.first);
    if (range.last != range.first) out += fmt::format("-\\x{{{:x}}}", range.last);
  }
  out += atom.properties;
  return out + ']';
}

Atom control(PatternCursor& in) {
  if (!is_ascii_letter(in.peek())) {
    in.fail("\\c without a letter");
    return {};
  }
  return single(static_cast<unsigned>(in.text[in.offset++]) % 32);
}

std::uint32_t hex_digits(PatternCursor& in, unsigned min, unsigned max) {
  std::uint32_t value = 0;
  unsigned count = 0;
  for (; count < max && hex_digit(in.peek()) >= 0; ++count) {
    value = value << 4 | static_cast<std::uint32_t>(hex_digit(in.text[in.offset++]));
  }
  if (count < min) in.fail("too few hexadecimal digits");
  return value;
}

// What follows \u: four digits, a pair of surrogates, or {…}.
std::uint32_t unicode_escape(PatternCursor& in) {
  if (in.take("{")) {
    const std::uint32_t value = hex_digits(in, 1, 6);
    if (value > kCodePointMax) in.fail("beyond Unicode");
    if (!in.take("}")) in.fail("\\u{ is not closed");
    return value;
  }
  const std::uint32_t lead = hex_digits(in, 4, 4);
  if (lead < 0xd800 || lead > 0xdbff || !in.at("\\u") || in.at("\\u{")) return lead;
  const std::size_t here = in.offset;
  in.offset += 2;
  const std::uint32_t trail = hex_digits(in, 4, 4);
  if (trail >= 0xdc00 && trail <= 0xdfff) return 0x10000 + ((lead - 0xd800) << 10 | (trail - 0xdc00));
  in.offset = here;
  return lead;
}

Atom property(PatternCursor& in, char kind) {
  const std::size_t end = in.text.find('}', in.offset);
  if (!in.at("{") || end == std::string_view::npos) {
    in.fail("\\p without {name}");
    return {};
  }
  std::string_view value = in.text.substr(in.offset + 1, end - in.offset - 1);
  in.offset = end + 1;
  for (std::string_view prefix : {"General_Category=", "gc=", "Script_Extensions=", "scx=", "Script=", "sc="}) {
    if (value.substr(0, prefix.size()) == prefix) value.remove_prefix(prefix.size());
  }
  for (char c : value) {
    if (!is_ascii_letter(c) && !is_ascii_digit(c) && c != '_') in.fail("not the name of a Unicode property");
  }
  const bool positive = kind == 'p';
  if (value == "Any") return from(positive ? CharSet{{0, kCodePointMax}} : CharSet{});
  if (value == "ASCII") return from(positive ? CharSet{{0, 0x7f}} : CharSet{{0, 0x7f}}.complement());
  for (const auto& [name, category] : kCategories) {
    if (name == value) value = category;
  }
  return {{}, fmt::format("\\{}{{{}}}", kind, value), std::nullopt};
}

Atom escape(PatternCursor& in, bool in_class) {
  ++in.offset;
  if (in.ended()) {
    in.fail("a backslash at the end");
    return {};
  }
  const char c = in.text[in.offset++];
  switch (c) {
    case 'd':
      return from(CharSet::digits());
    case 'D':
      return from(CharSet::digits().complement());
    case 'w':
      return from(CharSet::word());
    case 'W':
      return from(CharSet::word().complement());
    case 's':
      return from(CharSet::space());
    case 'S':
      return from(CharSet::space().complement());
    case 'p':
    case 'P':
      return property(in, c);
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
      return control(in);
    case 'x':
      return single(hex_digits(in, 2, 2));
    case 'u':
      return single(unicode_escape(in));
    case 'b':
      if (in_class) return single('\b');
      break;
    case '0':
      if (!is_ascii_digit(in.peek())) return single(0);
      break;
    default:
      if (!is_ascii_letter(c) && !is_ascii_digit(c)) {
        --in.offset;
        return single(next_code_point(in.text, in.offset));
      }
  }
  in.fail(fmt::format("unknown escape \\{}", c));
  return {};
}

Atom class_atom(PatternCursor& in) {
  return in.at("\\") ? escape(in, true) : single(next_code_point(in.text, in.offset));
}

// One character or one range of a class.
void class_range(PatternCursor& in, Atom& all) {
  const Atom first = class_atom(in);
  if (in.failure) return;
  const bool range = first.single && in.at("-") && in.text.substr(in.offset, 2).size() == 2 && !in.at("-]");
  if (!range) {
    all.set.add(first.set);
    all.properties += first.properties;
    return;
  }
  ++in.offset;
  const Atom last = class_atom(in);
  if (in.failure) return;
  if (!last.single) {  // [a-\d]: the three of them
    all.set.add(first.set);
    all.set.add('-', '-');
    all.set.add(last.set);
    all.properties += last.properties;
  } else if (*last.single < *first.single) {
    in.fail("a range is out of order");
  } else {
    all.set.add(*first.single, *last.single);
  }
}

Atom character_class(PatternCursor& in) {
  ++in.offset;
  const bool negated = in.take("^");
  Atom all;
  while (!in.failure && !in.take("]")) {
    if (in.ended()) {
      in.fail("a class is not closed");
    } else {
      class_range(in, all);
    }
  }
  if (!negated || in.failure) return all;
  if (all.properties.empty()) return from(all.set.complement());
  return {{}, class_text(all, true), std::nullopt, true};  // only the engine can complement a property
}

}  // namespace

bool is_ascii_digit(char c) { return c >= '0' && c <= '9'; }
bool is_ascii_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

Atom read_atom(PatternCursor& in) {
  if (in.at("[")) return character_class(in);
  if (in.at("\\")) return escape(in, false);
  if (in.take(".")) return from(CharSet::any_in_line());
  return single(next_code_point(in.text, in.offset));
}

void append_atom(std::string& out, const Atom& atom) {
  if (!atom.single) {
    out += atom.whole ? atom.properties : class_text(atom, false);
  } else if (*atom.single >= 0x80) {
    append_utf8(out, *atom.single);
  } else if (const char c = static_cast<char>(*atom.single); is_ascii_digit(c) || is_ascii_letter(c)) {
    out += c;
  } else {
    out += fmt::format("\\x{{{:x}}}", *atom.single);
  }
}

}  // namespace collet::schema
