// JSON: the one door to RapidJSON.
#pragma once

#include "base/assert.h"

#ifndef RAPIDJSON_ASSERT
#define RAPIDJSON_ASSERT(condition) COLLET_ASSERT(condition)
#endif
#if defined(__SSE2__) && !defined(RAPIDJSON_SSE2)
#define RAPIDJSON_SSE2  // scans strings sixteen bytes at a time where it parses in place
#endif
#include <rapidjson/document.h>

#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"

namespace collet::json {

// As rapidjson::CrtAllocator, but want of memory is std::bad_alloc: RapidJSON would write to the null pointer.
class Allocator {
 public:
  static const bool kNeedFree = true;
  void* Malloc(std::size_t size) { return size == 0 ? nullptr : checked(std::malloc(size)); }
  void* Realloc(void* before, std::size_t, std::size_t size) {
    if (size != 0) return checked(std::realloc(before, size));
    std::free(before);
    return nullptr;
  }
  static void Free(void* memory) { std::free(memory); }

 private:
  static void* checked(void* memory) {
    if (!memory) throw std::bad_alloc();
    return memory;
  }
};

// Never compare a Value with a scalar by ==: RapidJSON 1.1.0 recurses without end under C++20.
using Pool = rapidjson::MemoryPoolAllocator<Allocator>;
using Value = rapidjson::GenericValue<rapidjson::UTF8<>, Pool>;
using Document = rapidjson::GenericDocument<rapidjson::UTF8<>, Pool, Allocator>;

struct ParseLimits {
  unsigned depth_max = limits::kJsonDepthMax;
};

// Why a text is not JSON; `offset` in bytes.
struct ParseError {
  std::string message;
  std::size_t offset = 0;
};

// Parses UTF-8 text that is one JSON value. Numbers are read exactly, nesting beyond the limit is an error, and nothing
// recurses. Throws std::bad_alloc for want of memory.
[[nodiscard]] std::optional<ParseError> parse(std::string_view text, Document& out, ParseLimits limits = {});

// Where the text of the object member `key` lies that is found on the way `parent` → `key` from the root:
// {"params":{"arguments":…}}.
struct RawMember {
  std::string_view parent;
  std::string_view key;
  std::string_view raw;  // out: the exact text of the value, if it is an object or array; else left alone
};

// A copy of a text that can be parsed in place, which is faster. Used again and again, it keeps its room.
class ParseBuffer {
 public:
  char* copy(std::string_view text);
  // Lets go of more room than most texts need. What was parsed from it is no longer to be used.
  void trim();
  std::size_t bytes() const { return capacity_; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
};

// As above, and notes where a member lies in `text`; that there are two of it is an error. The document's strings
// lie in `buffer`. It recurses, which is faster: each level of nesting takes some 200 bytes of the stack.
[[nodiscard]] std::optional<ParseError> parse(std::string_view text, ParseBuffer& buffer, Document& out,
                                              RawMember& member, ParseLimits limits = {});

inline std::string_view view(const Value& string) { return {string.GetString(), string.GetStringLength()}; }

// The member, or null.
const Value* find(const Value& object, std::string_view key);
// The member's text, or nothing if it is absent or no string.
std::optional<std::string_view> find_string(const Value& object, std::string_view key);
std::optional<std::uint64_t> find_uint64(const Value& object, std::string_view key);

// Appends the value as compact JSON.
void append(std::string& out, const Value& value);
std::string to_text(const Value& value);

// Whether `text` is one JSON value within the limits (a plugin's word is not taken for it).
bool is_valid(std::string_view text, ParseLimits limits = {});
// The exact texts of an array's elements; nothing if the text is no JSON array.
std::optional<std::vector<std::string_view>> split_array(std::string_view text);
// Whether `text` is one JSON object.
bool is_object(std::string_view text, ParseLimits limits = {});

// One member of an object's text.
struct TextMember {
  std::string key;         // its escapes undone
  std::string_view value;  // its exact text
};
// The members of an object's text, in order. False if it is none.
[[nodiscard]] bool split_object(std::string_view text, std::vector<TextMember>& out);

}  // namespace collet::json
