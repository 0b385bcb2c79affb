#include "foreign/yaml.h"

#include <fmt/core.h>
#include <yaml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/assert.h"
#include "base/limits.h"
#include "config/section.h"

namespace collet::foreign {
namespace {

using config::Position;
using config::Problem;
using config::Value;

Position position(const yaml_mark_t& mark) {
  return {static_cast<unsigned>(mark.line) + 1, static_cast<unsigned>(mark.column) + 1};
}

std::string_view view(const yaml_char_t* text, std::size_t size) {
  return {reinterpret_cast<const char*>(text), size};
}
std::string_view view(const yaml_char_t* text) { return text ? reinterpret_cast<const char*>(text) : ""; }

// One event of the parser, freed with it.
class Event {
 public:
  Event() = default;
  ~Event() { yaml_event_delete(&event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  yaml_event_t* operator->() { return &event_; }
  yaml_event_t& get() { return event_; }

 private:
  yaml_event_t event_{};
};

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool is_null(std::string_view text) {
  return is_one_of(text, std::array<std::string_view, 5>{"", "~", "null", "Null", "NULL"});
}

// What a scalar without quotes and tag stands for.
void resolve(std::string_view text, Value& value) {
  const std::string_view digits = text.substr(text.starts_with('+') ? 1 : 0);
  const auto whole = [&](const auto& result) {
    return result.ec == std::errc() && result.ptr == digits.data() + digits.size();
  };
  if (is_one_of(text, std::array<std::string_view, 6>{"true", "True", "TRUE", "false", "False", "FALSE"})) {
    value.type = Value::Type::boolean;
    value.boolean = text[0] == 't' || text[0] == 'T';
  } else if (whole(std::from_chars(digits.data(), digits.data() + digits.size(), value.integer))) {
    value.type = Value::Type::integer;
  } else if (digits.find_first_not_of("0123456789+-.eE") == std::string_view::npos &&
             whole(std::from_chars(digits.data(), digits.data() + digits.size(), value.number)) &&
             std::isfinite(value.number)) {
    value.type = Value::Type::number;
  } else {
    value.type = Value::Type::string;
    value.text = text;
  }
}

class YamlParser {
 public:
  explicit YamlParser(std::string_view text) {
    COLLET_ASSERT(yaml_parser_initialize(&parser_));
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  ~YamlParser() { yaml_parser_delete(&parser_); }
  YamlParser(const YamlParser&) = delete;
  YamlParser& operator=(const YamlParser&) = delete;

  std::variant<Value, Problem> parse() {
    Node root;
    Event start, begin, first;
    if (next(start) && next(begin)) {
      if (begin->type == YAML_STREAM_END_EVENT) {
        fail({}, "the document is empty");
      } else if (next(first)) {
        read(first, root);
      }
    }
    if (!problem_ && (root.is_null || root.value.type != Value::Type::table))
      fail(root.value.at, "not a YAML mapping");
    if (problem_) return *std::move(problem_);
    return std::move(root.value);
  }

 private:
  struct Node {
    Value value;
    bool is_null = false;
    std::size_t size = 0;  // in memory, about
    unsigned depth = 1;
  };

  bool next(Event& event) {
    if (yaml_parser_parse(&parser_, &event.get())) return true;
    const bool is_encoding = parser_.error == YAML_READER_ERROR;
    return fail(
        is_encoding ? Position{static_cast<unsigned>(parser_.mark.line) + 1, 1} : position(parser_.problem_mark),
        fmt::format("not YAML: {}", parser_.problem ? parser_.problem : "no memory"));
  }

  bool read(Event& event, Node& node) {
    node.value.at = position(event->start_mark);
    switch (event->type) {
      case YAML_SCALAR_EVENT:
        read_scalar(event->data.scalar, node);
        node.size = sizeof(Value) + node.value.text.size();
        return keep(node.size) && remember(view(event->data.scalar.anchor), node);
      case YAML_SEQUENCE_START_EVENT:
        return descend([&] { return read_items(node); }) && remember(view(event->data.sequence_start.anchor), node);
      case YAML_MAPPING_START_EVENT:
        return descend([&] { return read_members(node); }) &&
               remember(view(event->data.mapping_start.anchor), node);
      case YAML_ALIAS_EVENT:
        return copy(view(event->data.alias.anchor), node);
      default:
        return fail(node.value.at, "not YAML: a value is expected");
    }
  }

  template <class Read>
  bool descend(Read&& read) {
    if (depth_ == limits::kJsonDepthMax) return fail(position(parser_.mark), "nested too deeply");
    ++depth_;
    const bool done = read();
    --depth_;
    return done;
  }

  void read_scalar(const auto& scalar, Node& node) {
    const std::string_view text = view(scalar.value, scalar.length);
    const bool is_plain = scalar.style == YAML_PLAIN_SCALAR_STYLE && scalar.tag == nullptr;
    node.is_null = is_plain && is_null(text);
    if (node.is_null) return;
    if (is_plain) return resolve(text, node.value);
    node.value.type = Value::Type::string;
    node.value.text = text;
  }

  bool read_items(Node& node) {
    node.value.type = Value::Type::array;
    while (true) {
      Event event;
      if (!next(event)) return false;
      if (event->type == YAML_SEQUENCE_END_EVENT) return true;
      Node item;
      if (!read(event, item) || !count(item, node)) return false;
      node.value.items.push_back(std::move(item.value));
    }
  }

  bool read_members(Node& node) {
    std::set<std::string> keys;
    std::vector<Value::Member> merged;
    while (true) {
      Event event;
      if (!next(event)) return false;
      if (event->type == YAML_MAPPING_END_EVENT) break;
      if (event->type != YAML_SCALAR_EVENT)
        return fail(position(event->start_mark), "a name is expected in front of :");
      const Position at = position(event->start_mark);
      const auto& scalar = event->data.scalar;
      std::string key(view(scalar.value, scalar.length));
      const bool is_merge = key == "<<" && scalar.style == YAML_PLAIN_SCALAR_STYLE;
      Event content;
      Node member;
      if (!next(content) || !read(content, member) || !count(member, node)) return false;
      if (is_merge) {
        for (const Value& item : member.value.items)
          merged.insert(merged.end(), item.members.begin(), item.members.end());
        std::move(member.value.members.begin(), member.value.members.end(), std::back_inserter(merged));
      } else if (!keys.insert(key).second) {
        return fail(at, config::in_quotes(key) + " is there twice");
      } else if (!member.is_null) {
        node.value.members.push_back({std::move(key), at, std::move(member.value)});
      }
    }
    for (Value::Member& member : merged) {  // what stands beside << counts more
      if (keys.insert(member.key).second) node.value.members.push_back(std::move(member));
    }
    return true;
  }

  // A node's share of the one around it.
  bool count(const Node& node, Node& around) {
    around.size += node.size;
    around.depth = std::max(around.depth, node.depth + 1);
    return around.depth <= limits::kJsonDepthMax || fail(node.value.at, "nested too deeply");
  }

  bool remember(std::string_view anchor, const Node& node) {
    if (anchor.empty()) return true;
    anchors_.insert_or_assign(std::string(anchor), node);
    return keep(node.size);
  }

  bool copy(std::string_view anchor, Node& node) {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end())
      return fail(node.value.at, fmt::format("not YAML: there is no anchor &{}", anchor));
    if (!keep(found->second.size)) return false;
    node = found->second;
    return true;
  }

  bool keep(std::size_t bytes) {
    kept_ += bytes;
    return kept_ <= kKeptBytesMax ||
           fail(position(parser_.mark), fmt::format("it takes more than {} bytes of memory", kKeptBytesMax));
  }

  bool fail(Position at, std::string message) {
    if (!problem_) problem_ = Problem{at, std::move(message)};
    return false;
  }

  static constexpr std::size_t kKeptBytesMax = 16 * limits::kForeignConfigBytesMax;

  yaml_parser_t parser_{};
  std::map<std::string, Node, std::less<>> anchors_;
  std::optional<Problem> problem_;
  std::size_t kept_ = 0;
  unsigned depth_ = 0;
};

}  // namespace

std::variant<Value, Problem> parse_yaml(std::string_view text) { return YamlParser(text).parse(); }

}  // namespace collet::foreign
