// Reading one table of a document, key by key. What is wrong is noted with its place and the reading goes on, so
// that a user sees everything at once. The keys that were asked for are the keys there are: finish() refuses the
// others.
#pragma once

#include <fmt/core.h>

#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "config/document.h"
#include "config/text_rule.h"

namespace collet::config {

class Problems {
 public:
  template <class... Args>
  void add(Position at, fmt::format_string<Args...> format, Args&&... args) {
    list_.push_back({at, fmt::format(format, std::forward<Args>(args)...)});
  }
  bool empty() const { return list_.empty(); }
  // `file:line:column: message` lines, in the order of the file.
  std::string text(std::string_view file) const;

 private:
  std::vector<Problem> list_;
};

// One of the words that a key may have, and what it stands for.
template <class T>
struct Word {
  std::string_view word;
  T value;
};

class Section {
 public:
  // `table` and `problems` are borrowed. `path` is the full name of the table, empty for the document.
  Section(Problems& problems, std::string path, const Value& table)
      : problems_(problems), path_(std::move(path)), table_(table) {}

  // Each leaves `to` alone if the key is absent or its value is bad.
  void read(std::string_view key, bool& to);
  void read(std::string_view key, std::string& to, const TextRule& rule = kAnyText);
  void read(std::string_view key, std::vector<std::string>& to, const TextRule& rule = kAnyText);
  void read(std::string_view key, std::string& to, std::span<const std::string> words);
  // Either of the two.
  void read_flag_or_list(std::string_view key, bool& flag, std::vector<std::string>& list, const TextRule& rule);
  template <std::unsigned_integral T>
  void read(std::string_view key, T& to, std::uint64_t min, std::uint64_t max) {
    std::uint64_t number = to;
    read_integer(key, number, min, max);
    to = static_cast<T>(number);
  }
  template <class T, std::size_t N>
  void read(std::string_view key, T& to, const Word<T> (&words)[N]) {
    std::vector<std::string> known;
    for (const Word<T>& each : words) known.emplace_back(each.word);
    const std::size_t index = read_word(key, known);
    if (index < N) to = words[index].value;
  }

  // Takes it as it is.
  void accept(std::string_view key) { known_.emplace_back(key); }
  // Notes that it is missing, if it is.
  void require(std::string_view key);
  bool has(std::string_view key) const;

  // The key's value; null if it is absent or of another type, which is noted.
  const Value* find(std::string_view key, Value::Type type);
  // The key's table; an absent or bad one reads as empty.
  Section section(std::string_view key);
  // The tables of an array of tables.
  std::vector<Section> sections(std::string_view key);

  // The members of a table whose keys are the user's own: they need no finish().
  std::span<const Value::Member> members() const { return table_.members; }
  // A member's table; one of another type is noted and reads as empty.
  Section section(const Value::Member& member);
  void read(const Value::Member& member, std::string& to, const TextRule& rule);

  // Notes every key that nobody asked for.
  void finish();

  // "server.limits.page_items"
  std::string name_of(std::string_view key) const;
  Position at() const { return table_.at; }
  // Where the key's value stands; the table's place if it is absent.
  Position at_of(std::string_view key) const;
  Problems& problems() { return problems_; }

 private:
  const Value::Member* member(std::string_view key) const;
  Section section_of(std::string name, const Value& value);
  void read_integer(std::string_view key, std::uint64_t& to, std::uint64_t min, std::uint64_t max);
  // words.size() if there is none.
  std::size_t read_word(std::string_view key, std::span<const std::string> words);
  bool is_text(const std::string& name, const Value& value, const TextRule& rule);

  Problems& problems_;
  std::string path_;
  const Value& table_;
  std::vector<std::string> known_;
};

using text::in_quotes;

}  // namespace collet::config
