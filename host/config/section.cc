#include "config/section.h"

#include <algorithm>
#include <tuple>

#include "base/nearest.h"
#include "base/text.h"

namespace collet::config {
namespace {

const Value kEmptyTable;

std::string list_of(std::span<const std::string> words) {
  std::string list;
  for (const std::string& word : words) list += (list.empty() ? "" : ", ") + word;
  return list;
}

std::vector<std::string> quoted(std::span<const std::string> words) {
  std::vector<std::string> all;
  for (const std::string& word : words) all.push_back(in_quotes(word));
  return all;
}

// What a user gave where something else was wanted.
std::string given(const Value& value) {
  switch (value.type) {
    case Value::Type::string:
      return in_quotes(value.text);
    case Value::Type::integer:
      return fmt::format("{}", value.integer);
    default:
      return std::string(type_name(value.type));
  }
}

}  // namespace

std::string Problems::text(std::string_view file) const {
  std::vector<Problem> sorted = list_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.at.line, a.at.column) < std::tie(b.at.line, b.at.column);
  });
  std::string lines;
  for (const Problem& problem : sorted) {
    if (!lines.empty()) lines += '\n';
    lines += fmt::format("{}:{}:{}: {}", file, problem.at.line, problem.at.column, problem.message);
  }
  return lines;
}

void Section::read(std::string_view key, bool& to) {
  if (const Value* value = find(key, Value::Type::boolean)) to = value->boolean;
}

void Section::read(std::string_view key, std::string& to, const TextRule& rule) {
  known_.emplace_back(key);
  if (const Value::Member* found = member(key)) read(*found, to, rule);
}

void Section::read(const Value::Member& member, std::string& to, const TextRule& rule) {
  if (is_text(name_of(member.key), member.value, rule)) to = member.value.text;
}

void Section::read(std::string_view key, std::vector<std::string>& to, const TextRule& rule) {
  const Value* array = find(key, Value::Type::array);
  if (!array) return;
  to.clear();
  for (const Value& item : array->items) {
    if (is_text(fmt::format("each of {}", name_of(key)), item, rule)) to.push_back(item.text);
  }
}

void Section::read(std::string_view key, std::string& to, std::span<const std::string> words) {
  known_.emplace_back(key);
  const Value::Member* found = member(key);
  if (!found) return;
  const Value& value = found->value;
  if (value.type == Value::Type::string && std::find(words.begin(), words.end(), value.text) != words.end()) {
    to = value.text;
  } else {
    problems_.add(value.at, "{} must be {}, not {}", name_of(key), text::either(quoted(words)), given(value));
  }
}

void Section::read_flag_or_list(std::string_view key, bool& flag, std::vector<std::string>& list,
                                const TextRule& rule) {
  const Value::Member* found = member(key);
  if (found && found->value.type == Value::Type::array) return read(key, list, rule);
  if (!found || found->value.type == Value::Type::boolean) return read(key, flag);
  known_.emplace_back(key);
  problems_.add(found->value.at, "{} must be true, false or a list, not {}", name_of(key), given(found->value));
}

void Section::read_integer(std::string_view key, std::uint64_t& to, std::uint64_t min, std::uint64_t max) {
  known_.emplace_back(key);
  const Value::Member* found = member(key);
  if (!found) return;
  const Value& value = found->value;
  const auto number = static_cast<std::uint64_t>(value.integer);
  if (value.type == Value::Type::integer && value.integer >= 0 && number >= min && number <= max) {
    to = number;
  } else {
    problems_.add(value.at, "{} must be an integer from {} to {}, not {}", name_of(key), min, max, given(value));
  }
}

std::size_t Section::read_word(std::string_view key, std::span<const std::string> words) {
  known_.emplace_back(key);
  const Value::Member* found = member(key);
  if (!found) return words.size();
  const Value& value = found->value;
  const auto word = std::find(words.begin(), words.end(), value.text);
  if (value.type == Value::Type::string && word != words.end()) {
    return static_cast<std::size_t>(word - words.begin());
  }
  problems_.add(value.at, "{} must be one of {}, not {}", name_of(key), list_of(words), given(value));
  return words.size();
}

bool Section::is_text(const std::string& name, const Value& value, const TextRule& rule) {
  if (value.type == Value::Type::string && rule.holds(value.text)) return true;
  const std::string not_this = rule.secret ? "" : ", not " + given(value);
  problems_.add(value.at, "{} must be {}{}", name, rule.must_be, not_this);
  return false;
}

void Section::require(std::string_view key) {
  if (!has(key)) problems_.add(at(), "{} is missing", name_of(key));
}

bool Section::has(std::string_view key) const { return member(key) != nullptr; }

const Value* Section::find(std::string_view key, Value::Type type) {
  known_.emplace_back(key);
  const Value::Member* found = member(key);
  if (!found) return nullptr;
  const Value& value = found->value;
  if (value.type == type) return &value;
  problems_.add(value.at, "{} must be {}, not {}", name_of(key), type_name(type), given(value));
  return nullptr;
}

Section Section::section(std::string_view key) {
  known_.emplace_back(key);
  const Value::Member* found = member(key);
  return section_of(name_of(key), found ? found->value : kEmptyTable);
}

std::vector<Section> Section::sections(std::string_view key) {
  std::vector<Section> sections;
  if (const Value* array = find(key, Value::Type::array)) {
    for (const Value& item : array->items) {
      Section section = section_of(name_of(key), item);
      if (item.type == Value::Type::table) sections.push_back(std::move(section));
    }
  }
  return sections;
}

Section Section::section(const Value::Member& member) { return section_of(name_of(member.key), member.value); }

Section Section::section_of(std::string name, const Value& value) {
  const bool is_table = value.type == Value::Type::table;
  if (!is_table) problems_.add(value.at, "{} must be a table, not {}", name, given(value));
  return {problems_, std::move(name), is_table ? value : kEmptyTable};
}

void Section::finish() {
  for (const Value::Member& each : table_.members) {
    if (std::find(known_.begin(), known_.end(), each.key) != known_.end()) continue;
    const std::string_view meant = text::nearest(each.key, known_);
    if (meant.empty()) {
      problems_.add(each.at, "{} is not a key; known here: {}", name_of(each.key), list_of(known_));
    } else {
      problems_.add(each.at, "{} is not a key; did you mean {}?", name_of(each.key), meant);
    }
  }
}

Position Section::at_of(std::string_view key) const {
  const Value::Member* found = member(key);
  return found ? found->value.at : at();
}

std::string Section::name_of(std::string_view key) const {
  return path_.empty() ? text::bare_or_quoted(key) : fmt::format("{}.{}", path_, text::bare_or_quoted(key));
}

const Value::Member* Section::member(std::string_view key) const {
  for (const Value::Member& each : table_.members) {
    if (each.key == key) return &each;
  }
  return nullptr;
}

}  // namespace collet::config
