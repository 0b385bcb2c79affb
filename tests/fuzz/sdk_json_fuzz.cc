// Two readers of JSON, written apart, agree on what is JSON and what it says.
#include <collet/json.h>

#include <collet/json.hpp>

#include "require.h"

namespace {

bool is_ascii(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

template <class Read>
auto attempt(std::string_view text, Read&& read)
    -> std::optional<decltype(read(std::declval<collet::JsonReader&>()))> {
  try {
    collet::JsonReader in(text);
    auto value = read(in);
    in.read_end();
    return value;
  } catch (const collet::Error&) {
    return std::nullopt;
  }
}

void check_string(std::string_view text, const collet_json_value& value) {
  const auto read_string = [](collet::JsonReader& in) {
    std::string scratch;
    return std::string(in.read_string(scratch));
  };
  std::string unescaped(value.size, '\0');
  unescaped.resize(collet_json_unescape(&value, unescaped.data()));
  require(attempt(text, read_string) == unescaped);
  require(collet_json_equals(&value, unescaped.data(), unescaped.size()));
  std::string written;
  collet::append_json(written, unescaped);
  require(attempt(written, read_string) == unescaped);
}

void check_number(std::string_view text, const collet_json_value& value) {
  std::int64_t integer = 0;
  const auto expected = attempt(text, [](collet::JsonReader& in) { return in.read_integer<std::int64_t>(); });
  require((collet_json_int64(&value, &integer) == COLLET_OK) == expected.has_value());
  require(!expected || *expected == integer);
  double number = 0;
  const auto nearest = attempt(text, [](collet::JsonReader& in) { return in.read_number<double>(); });
  require((collet_json_double(&value, &number) == COLLET_OK) == nearest.has_value());
  require(!nearest || *nearest == number);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  collet_json_value value;
  const bool in_c = collet_json_parse({text.data(), text.size()}, &value) == COLLET_OK;
  const bool in_cpp = attempt(text, [](collet::JsonReader& in) { return in.read_raw(); }).has_value();
  require(in_c || !in_cpp);
  require(in_cpp || !in_c || !is_ascii(text));  // UTF-8 is checked in C++ alone
  if (in_c && in_cpp && value.type == COLLET_JSON_STRING) check_string(text, value);
  if (in_c && in_cpp && value.type == COLLET_JSON_NUMBER) check_number(text, value);
  collet_json_value member;
  if (collet_json_find({text.data(), text.size()}, "text", &member) == 1) require(in_c);
  return 0;
}
