#include "base/json_pointer.h"

#include <charconv>

namespace collet::json {
namespace {

const Value* item_at(const Value& array, std::string_view token) {
  rapidjson::SizeType index = 0;
  const auto [end, failure] = std::from_chars(token.data(), token.data() + token.size(), index);
  if (failure != std::errc() || end != token.data() + token.size() || index >= array.Size()) return nullptr;
  if (token.size() > 1 && token[0] == '0') return nullptr;
  return &array[index];
}

}  // namespace

void append_pointer_token(std::string& pointer, std::string_view token) {
  pointer += '/';
  for (char c : token) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
}

std::string unescape_pointer_token(std::string_view token) {
  std::string out;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '~' && i + 1 < token.size() && (token[i + 1] == '0' || token[i + 1] == '1')) {
      out += token[++i] == '0' ? '~' : '/';
    } else {
      out += token[i];
    }
  }
  return out;
}

std::vector<std::string> pointer_tokens(std::string_view pointer) {
  std::vector<std::string> tokens;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::size_t slash = pointer.find('/');
    tokens.push_back(unescape_pointer_token(pointer.substr(0, slash)));
    pointer = slash == std::string_view::npos ? std::string_view{} : pointer.substr(slash);
  }
  return tokens;
}

const Value* child_at(const Value& value, std::string_view token) {
  return value.IsArray() ? item_at(value, token) : find(value, token);
}

const Value* value_at(const Value& root, std::string_view pointer) {
  const Value* here = &root;
  for (const std::string& token : pointer_tokens(pointer)) {
    here = child_at(*here, token);
    if (!here) return nullptr;
  }
  return here;
}

}  // namespace collet::json
