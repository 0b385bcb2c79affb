// A TOML document as a tree that remembers where each thing stood. The one door to toml++.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace collet::config {

// Counted from 1; columns in code points.
struct Position {
  unsigned line = 1;
  unsigned column = 1;
};

// What is wrong, and where.
struct Problem {
  Position at;
  std::string message;
};

// Of the byte at `offset`, or of the end.
Position position_of(std::string_view text, std::size_t offset);

struct Value {
  enum class Type : std::uint8_t { string, integer, number, boolean, date_time, array, table };
  struct Member;

  Type type = Type::table;
  Position at;
  std::string text;  // of a string; of a date or time, as RFC 3339 writes it
  std::int64_t integer = 0;
  double number = 0;
  bool boolean = false;
  std::vector<Value> items;     // of an array
  std::vector<Member> members;  // of a table, in the order of the file
};

struct Value::Member {
  std::string key;
  Position at;
  Value value;
};

// "a string", "an integer", …
std::string_view type_name(Value::Type type);

// The document's table, or the first syntax error.
std::variant<Value, Problem> parse_document(std::string_view text);

// Appends the value as compact JSON; dates and times become strings. Every number in it is finite.
void append_json(std::string& out, const Value& value);

// `text` as a TOML string, with its quotes.
std::string toml_string(std::string_view text);

}  // namespace collet::config
