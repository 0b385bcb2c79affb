#include "foreign/member.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/limits.h"
#include "foreign/jsonc.h"
#include "foreign/yaml.h"

namespace collet::foreign {
namespace {

using config::Problem;
using config::Value;

std::vector<Wanted> wanted(const MemberPlace& place) {
  std::vector<Wanted> all = {{place.key}};
  for (auto name = place.path.rbegin(); name != place.path.rend(); ++name)
    all = std::vector<Wanted>{{*name, std::move(all)}};
  return all;
}

const Value* find(const Value* table, const std::string& key) {
  if (!table) return nullptr;
  const auto is_it = [&](const Value::Member& member) { return member.key == key; };
  const auto found = std::find_if(table->members.begin(), table->members.end(), is_it);
  return found == table->members.end() ? nullptr : &found->value;
}

// Nothing but blanks and comments, which is no document of YAML.
bool says_nothing(std::string_view text) {
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    if (text.empty()) return true;
    if (text[0] != '#') return false;
    text.remove_prefix(std::min(text.find('\n'), text.size()));
  }
}

Result<std::variant<Value, Problem>> parse(Source& source, Format format, const MemberPlace& place) {
  if (format == Format::json) return parse_jsonc(source, wanted(place));
  const Result<std::string> text = read_all(source, limits::kForeignConfigBytesMax);
  if (!text) return text.failure();
  if (says_nothing(*text)) return std::variant<Value, Problem>(Value());
  return format == Format::toml ? config::parse_document(*text) : parse_yaml(*text);
}

}  // namespace

Format format_of(const std::filesystem::path& file) {
  const std::string extension = file.extension().string();
  if (extension == ".toml") return Format::toml;
  return extension == ".yaml" || extension == ".yml" ? Format::yaml : Format::json;
}

Result<std::optional<Value>> read_member(Source& source, Format format, const MemberPlace& place) {
  const auto parsed = parse(source, format, place);
  if (!parsed) return parsed.failure();
  if (const auto* wrong = std::get_if<Problem>(&*parsed))
    return error("{}:{}: {}", wrong->at.line, wrong->at.column, wrong->message);
  const Value* at = &std::get<Value>(*parsed);
  for (const std::string& name : place.path) at = find(at, name);
  at = find(at, place.key);
  return at ? std::optional(*at) : std::nullopt;
}

bool same_value(const Value& one, const Value& other) {
  if (one.type != other.type || one.text != other.text || one.integer != other.integer ||
      one.number != other.number || one.boolean != other.boolean || one.members.size() != other.members.size())
    return false;
  const auto has_same = [&](const Value::Member& member) {
    const Value* there = find(&other, member.key);
    return there && same_value(member.value, *there);
  };
  return std::all_of(one.members.begin(), one.members.end(), has_same) &&
         std::equal(one.items.begin(), one.items.end(), other.items.begin(), other.items.end(),
                    [](const Value& a, const Value& b) { return same_value(a, b); });
}

}  // namespace collet::foreign
