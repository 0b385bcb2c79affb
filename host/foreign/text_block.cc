#include "foreign/text_block.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <vector>

#include "config/document.h"
#include "foreign/remote.h"
#include "foreign/yaml.h"

namespace collet::foreign {
namespace {

struct Line {
  std::size_t begin = 0;   // in the text
  std::size_t indent = 0;  // blanks in front
  std::string_view rest;   // behind these, without the newline
  // Whether it says something.
  bool counts() const { return !rest.empty() && rest[0] != '#'; }
};

std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view rest = text.substr(begin, end - begin);
    const std::size_t indent = std::min(rest.find_first_not_of(" \t"), rest.size());
    rest.remove_prefix(indent);
    rest = rest.substr(0, rest.find_last_not_of(" \t\r") + 1);
    lines.push_back({begin, indent, rest});
    begin = end + 1;
  }
  return lines;
}

// The ways to write a key.
std::vector<std::string> spellings(const std::string& key) {
  return {key, config::toml_string(key), "'" + key + "'"};
}

// The lines from `first` up to that which ends them, without the comment in front of that.
template <class Ends>
Edit block(std::string_view text, const std::vector<Line>& lines, std::size_t first, Ends&& ends) {
  const auto begin = lines.begin() + static_cast<std::ptrdiff_t>(first) + 1;
  auto last = std::find_if(begin, lines.end(), ends);
  while (last != begin && (last - 1)->rest.starts_with('#')) --last;
  const std::size_t end = last == lines.end() ? text.size() : last->begin;
  return {lines[first].begin, end - lines[first].begin, {}};
}

std::string without(std::string_view text, const Edit& edit) {
  return std::string(text).erase(edit.at, edit.removed);
}

}  // namespace

std::optional<Edit> remove_toml_table(std::string_view text, const MemberPlace& place) {
  const std::vector<Line> lines = lines_of(text);
  for (const std::string& key : spellings(place.key)) {
    const std::string name = place.path.empty() ? key : place.path.front() + "." + key;
    const auto is_header = [&](const Line& line) { return line.rest == "[" + name + "]"; };
    const auto header = std::find_if(lines.begin(), lines.end(), is_header);
    if (header == lines.end()) continue;
    const auto ends = [&](const Line& line) {
      return line.rest.starts_with('[') && !line.rest.starts_with("[" + name + ".");
    };
    const Edit edit = block(text, lines, static_cast<std::size_t>(header - lines.begin()), ends);
    const auto left = config::parse_document(without(text, edit));
    if (std::holds_alternative<config::Value>(left)) return edit;
  }
  return std::nullopt;
}

std::optional<Edit> remove_yaml_member(std::string_view text, const MemberPlace& place) {
  if (place.path.empty()) return std::nullopt;
  const std::vector<Line> lines = lines_of(text);
  bool is_inside = false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Line& line = lines[i];
    if (!line.counts()) continue;
    if (line.indent == 0) is_inside = line.rest == place.path.front() + ":";
    const auto is_it = [&](const std::string& key) { return line.rest.starts_with(key + ":"); };
    const std::vector<std::string> keys = spellings(place.key);
    if (!is_inside || line.indent == 0 || std::none_of(keys.begin(), keys.end(), is_it)) continue;
    const Edit edit =
        block(text, lines, i, [&](const Line& other) { return other.counts() && other.indent <= line.indent; });
    const auto left = parse_yaml(without(text, edit));
    if (std::holds_alternative<config::Value>(left)) return edit;
  }
  return std::nullopt;
}

}  // namespace collet::foreign
