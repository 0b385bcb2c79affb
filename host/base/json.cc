#include "base/json.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base/freed_memory.h"
#include "base/text.h"

namespace collet::json {
namespace {

// Numbers come as text: RapidJSON's own conversion reads "0e-53" as a tiny number, even at full precision.
constexpr unsigned kParseFlags = rapidjson::kParseNumbersAsStringsFlag;
// For any thread, however small its stack is.
constexpr unsigned kWithoutRecursion = rapidjson::kParseIterativeFlag;

constexpr std::string_view kBlanks = " \t\r\n";

// Calls `sink` with the number of the narrowest type that holds it exactly, or the nearest double; false if there
// is none.
template <class Sink>
bool convert_number(Sink& sink, const char* begin, const char* end) {
  if (*begin == '-') {
    std::int64_t value;
    const auto [stop, bad] = std::from_chars(begin, end, value);
    if (stop == end && bad == std::errc() && value != 0) {
      return value >= INT32_MIN ? sink.Int(static_cast<int>(value)) : sink.Int64(value);
    }
  } else {
    std::uint64_t value;
    const auto [stop, bad] = std::from_chars(begin, end, value);
    if (stop == end && bad == std::errc()) {
      return value <= UINT32_MAX ? sink.Uint(static_cast<unsigned>(value)) : sink.Uint64(value);
    }
  }
  double value = 0;
  if (std::from_chars(begin, end, value).ec == std::errc::result_out_of_range) {
    value = std::strtod(std::string(begin, end).c_str(), nullptr);  // tells too large from too small
  }
  return std::isfinite(value) && sink.Double(value);
}

// Bounds the depth, for a handler that builds something.
template <class Sink>
class Bounded {
 public:
  Bounded(Sink& sink, unsigned depth_max) : sink_(sink), depth_max_(depth_max) {}

  bool Null() { return sink_.Null(); }
  bool Bool(bool b) { return sink_.Bool(b); }
  bool RawNumber(const char* s, rapidjson::SizeType n, bool) { return convert_number(sink_, s, s + n); }
  // Never called with kParseNumbersAsStringsFlag, but compiled.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }
  bool String(const char* s, rapidjson::SizeType n, bool copy) { return sink_.String(s, n, copy); }
  bool StartObject() { return ++depth_ <= depth_max_ && sink_.StartObject(); }
  bool Key(const char* s, rapidjson::SizeType n, bool copy) { return sink_.Key(s, n, copy); }
  bool EndObject(rapidjson::SizeType n) { return --depth_, sink_.EndObject(n); }
  bool StartArray() { return ++depth_ <= depth_max_ && sink_.StartArray(); }
  bool EndArray(rapidjson::SizeType n) { return --depth_, sink_.EndArray(n); }

  bool too_deep() const { return depth_ > depth_max_; }

 protected:
  unsigned depth() const { return depth_; }
  Sink& sink() { return sink_; }

 private:
  Sink& sink_;
  unsigned depth_max_;
  unsigned depth_ = 0;
};

// Also notes where one member's text begins and ends, by asking the stream how far it has been read. That is exact
// only for objects and arrays: strings are read from a copy of the stream.
class Locating : public Bounded<Document> {
  using Base = Bounded<Document>;

 public:
  // The stream reads a copy of `text`.
  Locating(Document& sink, unsigned depth_max, RawMember& member, std::string_view text,
           const rapidjson::InsituStringStream& stream)
      : Base(sink, depth_max), member_(member), text_(text), stream_(stream) {}

  bool Key(const char* s, rapidjson::SizeType n, bool copy) {
    if (depth() == 1) {
      in_parent_ = std::string_view(s, n) == member_.parent;
      if (in_parent_ && ++parents_ > 1) return false;
    } else if (depth() == 2) {
      wanted_ = in_parent_ && std::string_view(s, n) == member_.key;
      if (wanted_ && ++members_ > 1) return false;
    }
    return Base::Key(s, n, copy);
  }
  // One of the two is there twice: who looks at the document and who looks at the text would not see the same.
  bool ambiguous() const { return parents_ > 1 || members_ > 1; }
  bool StartObject() { return begin(), Base::StartObject(); }
  bool StartArray() { return begin(), Base::StartArray(); }
  bool EndObject(rapidjson::SizeType n) { return Base::EndObject(n) && end(); }
  bool EndArray(rapidjson::SizeType n) { return Base::EndArray(n) && end(); }

 private:
  // The stream stands behind the opening bracket …
  void begin() {
    if (depth() == 2 && wanted_) begin_ = position() - 1;
  }

  // … and behind the closing one.
  bool end() {
    if (depth() == 1) in_parent_ = wanted_ = false;
    if (depth() == 2 && wanted_) {
      member_.raw = text_.substr(begin_, position() - begin_);
      wanted_ = false;
    }
    return true;
  }

  std::size_t position() const { return static_cast<std::size_t>(stream_.src_ - stream_.head_); }

  RawMember& member_;
  const std::string_view text_;
  const rapidjson::InsituStringStream& stream_;
  std::size_t begin_ = 0;
  unsigned parents_ = 0;
  unsigned members_ = 0;
  bool in_parent_ = false;
  bool wanted_ = false;
};

template <unsigned kMoreFlags = kWithoutRecursion, class Stream, class Handler>
std::optional<ParseError> run(Stream& stream, Handler& handler) {
  rapidjson::GenericReader<rapidjson::UTF8<>, rapidjson::UTF8<>, Allocator> reader;
  const rapidjson::ParseResult result = reader.Parse<kParseFlags | kMoreFlags>(stream, handler);
  if (!result.IsError()) return std::nullopt;
  if (handler.too_deep()) return ParseError{"nested too deeply", result.Offset()};
  if (result.Code() == rapidjson::kParseErrorTermination)
    return ParseError{"a number is too large", result.Offset()};
  std::string message = rapidjson::GetParseError_En(result.Code());
  if (message.ends_with('.')) message.pop_back();
  return ParseError{std::move(message), result.Offset()};
}

// Where an escaped low surrogate stands without its high one, or npos. RapidJSON lets it through and makes bytes of
// it that are no UTF-8.
std::size_t lone_low_surrogate(std::string_view text) {
  std::size_t after_high = std::string_view::npos;  // where its low one has to begin
  for (std::size_t at = text.find('\\'); at != std::string_view::npos; at = text.find('\\', at)) {
    if (at + 6 > text.size() || text[at + 1] != 'u') {
      at += 2;
      continue;
    }
    unsigned unit = 0;
    std::from_chars(text.data() + at + 2, text.data() + at + 6, unit, 16);
    if (unit >= 0xdc00 && unit <= 0xdfff && at != after_high) return at;
    at += 6;
    after_high = unit >= 0xd800 && unit <= 0xdbff ? at : std::string_view::npos;
  }
  return std::string_view::npos;
}

// RapidJSON takes a NUL for the end of the text, and checks UTF-8 far more slowly than we do.
std::optional<ParseError> check_bytes(std::string_view text) {
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) return ParseError{"NUL byte", nul};
  if (const std::size_t good = text::utf8_prefix(text); good < text.size()) {
    return ParseError{"not valid UTF-8", good};
  }
  if (const std::size_t at = lone_low_surrogate(text); at != std::string_view::npos) {
    return ParseError{"a low surrogate without a high one", at};
  }
  return std::nullopt;
}

struct StringSink {
  using Ch = char;
  std::string& out;
  void Put(char c) { out.push_back(c); }
  void Flush() {}
};

// Accepts everything and keeps nothing.
struct NullSink : rapidjson::BaseReaderHandler<> {};

// Of valid text that starts with a string: the size of that string, quotes included.
std::size_t string_size(std::string_view text) {
  std::size_t at = 1;
  while (text[at] != '"') at += text[at] == '\\' ? 2 : 1;
  return at + 1;
}

// Of valid text that starts with a value: the size of that value.
std::size_t value_size(std::string_view text) {
  if (text[0] == '"') return string_size(text);
  unsigned depth = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') {
      at += string_size(text.substr(at)) - 1;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth <= 1) return at + depth;  // of a number or word: the bracket is not its own
      --depth;
    } else if (depth == 0 && (c == ',' || kBlanks.find(c) != std::string_view::npos)) {
      return at;
    }
  }
  return text.size();
}

std::string unescaped(std::string_view string) {
  if (string.find('\\') == std::string_view::npos) return std::string(string.substr(1, string.size() - 2));
  Document document;
  COLLET_ASSERT(!parse(string, document));
  return std::string(view(document));
}

// Takes `c` and the blanks around it off the front; false if something else is there.
bool skip(std::string_view& text, char c) {
  const std::size_t at = text.find_first_not_of(kBlanks);
  if (at == std::string_view::npos || text[at] != c) return false;
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks, at + 1), text.size()));
  return true;
}

}  // namespace

std::optional<ParseError> parse(std::string_view text, Document& out, ParseLimits limits) {
  if (auto bad = check_bytes(text)) return bad;
  rapidjson::MemoryStream stream(text.data(), text.size());
  std::optional<ParseError> failure;
  auto generate = [&](Document& sink) {
    Bounded<Document> handler(sink, limits.depth_max);
    failure = run(stream, handler);
    return !failure;
  };
  out.Populate(generate);
  return failure;
}

char* ParseBuffer::copy(std::string_view text) {
  constexpr std::size_t kPadding = 16;  // strings are scanned in aligned blocks of that size
  if (capacity_ < text.size() + kPadding) {
    capacity_ = 0;
    bytes_.reset();
    bytes_.reset(new char[text.size() + kPadding]);
    capacity_ = text.size() + kPadding;
  }
  std::memcpy(bytes_.get(), text.data(), text.size());
  std::memset(bytes_.get() + text.size(), 0, kPadding);
  return bytes_.get();
}

void ParseBuffer::trim() {
  if (capacity_ <= limits::kParseBufferKeptBytes) return;
  freed_memory::note(capacity_);
  bytes_.reset();
  capacity_ = 0;
}

std::optional<ParseError> parse(std::string_view text, ParseBuffer& buffer, Document& out, RawMember& member,
                                ParseLimits limits) {
  if (auto bad = check_bytes(text)) return bad;
  rapidjson::InsituStringStream stream(buffer.copy(text));
  std::optional<ParseError> failure;
  auto generate = [&](Document& sink) {
    Locating handler(sink, limits.depth_max, member, text, stream);
    failure = run<rapidjson::kParseInsituFlag>(stream, handler);
    if (failure && handler.ambiguous()) {
      failure->message = fmt::format("{} or {}.{} is there twice", member.parent, member.parent, member.key);
    }
    return !failure;
  };
  out.Populate(generate);
  return failure;
}

const Value* find(const Value& object, std::string_view key) {
  if (!object.IsObject()) return nullptr;
  for (auto member = object.MemberBegin(); member != object.MemberEnd(); ++member) {
    if (view(member->name) == key) return &member->value;
  }
  return nullptr;
}

std::optional<std::string_view> find_string(const Value& object, std::string_view key) {
  const Value* value = find(object, key);
  if (!value || !value->IsString()) return std::nullopt;
  return view(*value);
}

std::optional<std::uint64_t> find_uint64(const Value& object, std::string_view key) {
  const Value* value = find(object, key);
  if (!value || !value->IsUint64()) return std::nullopt;
  return value->GetUint64();
}

void append(std::string& out, const Value& value) {
  StringSink sink{out};
  rapidjson::Writer<StringSink, rapidjson::UTF8<>, rapidjson::UTF8<>, Allocator> writer(sink);
  value.Accept(writer);
}

std::string to_text(const Value& value) {
  std::string out;
  append(out, value);
  return out;
}

bool is_valid(std::string_view text, ParseLimits limits) {
  if (check_bytes(text)) return false;
  rapidjson::MemoryStream stream(text.data(), text.size());
  NullSink sink;
  Bounded<NullSink> handler(sink, limits.depth_max);
  return !run(stream, handler);
}

bool is_object(std::string_view text, ParseLimits limits) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  return first != std::string_view::npos && text[first] == '{' && is_valid(text, limits);
}

std::optional<std::vector<std::string_view>> split_array(std::string_view text) {
  if (!is_valid(text) || !skip(text, '[')) return std::nullopt;
  std::vector<std::string_view> elements;
  for (; !skip(text, ']'); skip(text, ',')) {
    elements.push_back(text.substr(0, value_size(text)));
    text.remove_prefix(elements.back().size());
  }
  return elements;
}

bool split_object(std::string_view text, std::vector<TextMember>& out) {
  out.clear();
  if (!is_object(text)) return false;
  for (skip(text, '{'); !skip(text, '}'); skip(text, ',')) {
    const std::string_view key = text.substr(0, string_size(text));
    text.remove_prefix(key.size());
    skip(text, ':');
    const std::string_view value = text.substr(0, value_size(text));
    text.remove_prefix(value.size());
    out.push_back({unescaped(key), value});
  }
  return true;
}

}  // namespace collet::json
