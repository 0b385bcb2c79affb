#include "registry/uri_template.h"

#include <algorithm>

#include "base/json_members.h"
#include "base/limits.h"
#include "registry/uri_spelling.h"

namespace collet::registry {
namespace {

constexpr std::size_t kExpressionsMax = 16;

bool is_variable_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  });
}

std::vector<std::string> split(std::string_view list, char separator) {
  std::vector<std::string> entries;
  while (true) {
    const std::size_t end = list.find(separator);
    entries.emplace_back(list.substr(0, end));
    if (end == std::string_view::npos) return entries;
    list.remove_prefix(end + 1);
  }
}

}  // namespace

Result<UriTemplate> UriTemplate::parse(std::string_view text) {
  UriTemplate made;
  std::size_t expressions = 0;
  while (!text.empty()) {
    const std::size_t open = text.find('{');
    if (open > 0) {
      made.parts_.push_back({Part::Kind::literal, normalised_encoding(text.substr(0, open)), {}});
      if (made.parts_.size() == 1) lower_case_origin(made.parts_.front().text);
      if (open == std::string_view::npos) break;
    }
    const std::size_t close = text.find('}', open);
    if (close == std::string_view::npos) return error("its URI template has a brace that is not closed");
    std::string_view inside = text.substr(open + 1, close - open - 1);
    text.remove_prefix(close + 1);
    if (++expressions > kExpressionsMax) return error("its URI template has over {} expressions", kExpressionsMax);
    const char op = inside.empty() ? '\0' : inside.front();
    if (op == '+' || op == '/' || op == '?') inside.remove_prefix(1);
    const std::vector<std::string> names = split(inside, ',');
    const bool one = names.size() == 1 || op == '?';
    if (!one || !std::all_of(names.begin(), names.end(), is_variable_name)) {
      return error("its URI template has {{{}{}}}; what is understood is {{var}}, {{+var}}, {{/var}} and {{?a,b}}",
                   op == '+' || op == '/' || op == '?' ? std::string(1, op) : "", inside);
    }
    if (op == '/') made.parts_.push_back({Part::Kind::literal, "/", {}});
    if (op == '?') {
      made.parts_.push_back({Part::Kind::query, {}, names});
    } else {
      made.parts_.push_back({op == '+' ? Part::Kind::rest : Part::Kind::segment, names.front(), {}});
    }
  }
  return made;
}

std::vector<std::string> UriTemplate::variables() const {
  std::vector<std::string> names;
  for (const Part& part : parts_) {
    if (part.kind == Part::Kind::query) names.insert(names.end(), part.names.begin(), part.names.end());
    if (part.kind == Part::Kind::segment || part.kind == Part::Kind::rest) names.push_back(part.text);
  }
  return names;
}

// One attempt. What has failed once, from a part at a place, is not tried again.
class UriTemplate::Matcher {
 public:
  Matcher(const std::vector<Part>& parts, std::string_view uri)
      : parts_(parts), uri_(uri), failed_((parts.size() + 1) * (uri.size() + 1)) {}

  bool from(std::size_t part, std::size_t at) {
    if (part == parts_.size()) return at == uri_.size();
    const std::size_t key = part * (uri_.size() + 1) + at;
    if (failed_[key]) return false;
    if (try_part(part, at)) return true;
    failed_[key] = true;
    return false;
  }

  std::map<std::string, std::string> values;

 private:
  bool try_part(std::size_t index, std::size_t at) {
    const Part& part = parts_[index];
    switch (part.kind) {
      case Part::Kind::literal:
        return uri_.substr(at).starts_with(part.text) && from(index + 1, at + part.text.size());
      case Part::Kind::query:
        return try_query(index, at);
      case Part::Kind::segment:
      case Part::Kind::rest:
        break;
    }
    for (std::size_t end = at + 1; end <= uri_.size(); ++end) {
      const char last = uri_[end - 1];
      if (part.kind == Part::Kind::segment && (last == '/' || last == '?' || last == '#')) return false;
      if (from(index + 1, end)) {
        values[part.text] = percent_decoded(uri_.substr(at, end - at));
        return true;
      }
    }
    return false;
  }

  bool try_query(std::size_t index, std::size_t at) {
    const std::string_view rest = uri_.substr(at);
    if (rest.empty()) return from(index + 1, at);
    if (rest.front() != '?') return false;
    const std::size_t end = std::min(rest.find('#'), rest.size());
    std::map<std::string, std::string> found;
    for (const std::string& pair : split(rest.substr(1, end - 1), '&')) {
      const std::size_t equals = pair.find('=');
      const std::string name = pair.substr(0, equals);
      const auto& names = parts_[index].names;
      if (equals == std::string::npos || std::find(names.begin(), names.end(), name) == names.end()) return false;
      found[name] = percent_decoded(std::string_view(pair).substr(equals + 1));
    }
    if (!from(index + 1, at + end)) return false;
    values.merge(found);
    return true;
  }

  const std::vector<Part>& parts_;
  const std::string_view uri_;
  std::vector<bool> failed_;
};

std::optional<std::map<std::string, std::string>> UriTemplate::match(std::string_view uri) const {
  if (uri.size() > limits::kUriBytesMax) return std::nullopt;
  return match_spelt(spelt(uri));
}

std::string UriTemplate::spelt(std::string_view uri) {
  std::string out = normalised_encoding(uri);
  lower_case_origin(out);
  return out;
}

std::optional<std::map<std::string, std::string>> UriTemplate::match_spelt(std::string_view uri) const {
  if (uri.size() > 3 * limits::kUriBytesMax) return std::nullopt;  // each byte may have been encoded
  Matcher matcher(parts_, uri);
  if (!matcher.from(0, 0)) return std::nullopt;
  return std::move(matcher.values);
}

std::string variables_text(const std::map<std::string, std::string>& variables) {
  json::ObjectText out;
  for (const auto& [name, value] : variables) out.add_text(name, value);
  return out.take();
}

}  // namespace collet::registry
