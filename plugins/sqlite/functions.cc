#include "sqlite/functions.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <sqlite3.h>

#include "sqlite/failure.h"

namespace sqlite {
namespace {

constexpr std::uint64_t kStepsMax = 1 << 27;  // of comparing two characters: 100 to 300 ms
constexpr int kFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;

bool is_null(sqlite3_value* value) { return sqlite3_value_type(value) == SQLITE_NULL; }
bool is_blob(sqlite3_value* value) { return sqlite3_value_type(value) == SQLITE_BLOB; }
bool is_continuation(char byte) { return (byte & 0xc0) == 0x80; }

std::string_view view(const void* bytes, int size) {
  return bytes ? std::string_view(static_cast<const char*>(bytes), static_cast<std::size_t>(size))
               : std::string_view();
}
std::string_view text_of(sqlite3_value* value) {
  const void* const bytes = sqlite3_value_text(value);
  return view(bytes, sqlite3_value_bytes(value));
}
std::string_view blob_of(sqlite3_value* value) {
  const void* const bytes = sqlite3_value_blob(value);
  return view(bytes, sqlite3_value_bytes(value));
}

std::uint64_t product_of_sizes(std::span<sqlite3_value*> arguments) {
  const auto size = [](sqlite3_value* value) { return static_cast<std::uint64_t>(sqlite3_value_bytes(value)); };
  return size(arguments[0]) * size(arguments[1]);
}

// glibc's memmem() is linear; std::string_view::find() is not.
std::size_t find(std::string_view haystack, std::string_view needle) {
  const void* const found = ::memmem(haystack.data(), haystack.size(), needle.data(), needle.size());
  return found ? static_cast<std::size_t>(static_cast<const char*>(found) - haystack.data()) : haystack.npos;
}

// Reads one "%…" of a format as SQLite's printf() does, from the character after the '%'.
class Conversion {
 public:
  Conversion(std::string_view format, std::size_t& at, std::span<sqlite3_value*> arguments, std::size_t& used) {
    const auto peek = [&] { return at < format.size() ? format[at] : '\0'; };
    const auto number = [&]() -> std::int64_t {
      if (peek() == '*') {
        ++at;
        return used < arguments.size() ? static_cast<int>(sqlite3_value_int64(arguments[used++])) : 0;
      }
      std::int64_t value = 0;
      for (; std::isdigit(static_cast<unsigned char>(peek())); ++at) {
        value = std::min<std::int64_t>(value * 10 + (peek() - '0'), INT32_MAX);
      }
      return value;
    };
    while (peek() && std::strchr("-+ #!0,", peek())) ++at;
    number();
    if (peek() == '.') {
      ++at;
      precision_ = number();
    }
    while (peek() == 'l') ++at;
    type_ = peek();
    if (type_) ++at;
    if (type_ != '%' && type_ != 'n') ++used;
  }

  // How often a %c repeats its character; SQLite before 3.41 does so one at a time, and counts on when it is too
  // long.
  std::uint64_t repeated() const {
    return type_ != 'c' ? 0 : static_cast<std::uint64_t>(precision_ < 0 ? -(precision_ + 1) : precision_);
  }

 private:
  std::int64_t precision_ = 0;
  char type_ = 0;
};

}  // namespace

Functions::Functions(sqlite3* db, std::function<bool()> should_stop) : should_stop_(std::move(should_stop)) {
  add(db, "instr", 2, &Functions::instr);
  add(db, "replace", 3, &Functions::replace);
  add(db, "like", 2, &Functions::match);
  add(db, "like", 3, &Functions::match);
  add(db, "glob", 2, &Functions::match);
  for (const char* name : {"trim", "ltrim", "rtrim", "json_patch"}) add(db, name, 2, &Functions::every_pair);
  for (const char* name : {"printf", "format"}) add(db, name, -1, &Functions::format);
}

Functions::~Functions() {
  for (const auto& [key, call] : calls_) sqlite3_finalize(call);
  sqlite3_close(originals_);
}

void Functions::add(sqlite3* db, const char* name, int argument_count, Body body) {
  bound_.push_back({this, name, body});
  if (sqlite3_create_function(db, name, argument_count, kFlags, &bound_.back(), &on_call, nullptr, nullptr) !=
      SQLITE_OK) {
    throw Failure(std::string("cannot define the function ") + name + ": " + sqlite3_errmsg(db));
  }
}

void Functions::on_call(sqlite3_context* context, int count, sqlite3_value** values) try {
  const Bound& bound = *static_cast<const Bound*>(sqlite3_user_data(context));
  if (bound.functions->should_stop_()) return sqlite3_result_error_code(context, SQLITE_INTERRUPT);
  (bound.functions->*bound.body)(context, bound.name, Arguments(values, static_cast<std::size_t>(count)));
} catch (const std::bad_alloc&) {
  sqlite3_result_error_nomem(context);
}

bool Functions::open_originals(int length_max) {
  const int access = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  if (!originals_ && sqlite3_open_v2(":memory:", &originals_, access, nullptr) != SQLITE_OK) {
    sqlite3_close(std::exchange(originals_, nullptr));
  }
  if (originals_) sqlite3_limit(originals_, SQLITE_LIMIT_LENGTH, length_max);
  return originals_ != nullptr;
}

void Functions::call_original(sqlite3_context* context, const char* name, Arguments arguments) {
  const int length_max = sqlite3_limit(sqlite3_context_db_handle(context), SQLITE_LIMIT_LENGTH, -1);
  if (!open_originals(length_max)) return sqlite3_result_error_nomem(context);
  sqlite3_stmt*& call = calls_[{name, arguments.size()}];
  if (!call) {
    std::string sql = std::string("SELECT ") + name + "(";
    for (std::size_t i = 0; i < arguments.size(); ++i) sql += i == 0 ? "?" : ",?";
    if (sqlite3_prepare_v2(originals_, (sql + ")").c_str(), -1, &call, nullptr) != SQLITE_OK) {
      return sqlite3_result_error(context, sqlite3_errmsg(originals_), -1);
    }
  }
  int status = SQLITE_OK;
  for (std::size_t i = 0; i < arguments.size() && status == SQLITE_OK; ++i) {
    status = sqlite3_bind_value(call, static_cast<int>(i) + 1, arguments[i]);
  }
  if (status == SQLITE_OK) status = sqlite3_step(call);
  if (status == SQLITE_ROW) {
    sqlite3_result_value(context, sqlite3_column_value(call, 0));
  } else {
    sqlite3_result_error(context, sqlite3_errmsg(originals_), -1);
    if (const int code = sqlite3_errcode(originals_); code != SQLITE_ERROR)
      sqlite3_result_error_code(context, code);
  }
  sqlite3_reset(call);
  sqlite3_clear_bindings(call);
}

void Functions::instr(sqlite3_context* context, const char*, Arguments arguments) {
  if (is_null(arguments[0]) || is_null(arguments[1])) return;
  const bool is_text = !is_blob(arguments[0]) || !is_blob(arguments[1]);
  const auto read = [](sqlite3_value* value) { return is_blob(value) ? blob_of(value) : text_of(value); };
  const std::string_view haystack = read(arguments[0]), needle = read(arguments[1]);
  if (needle.empty()) return sqlite3_result_int(context, 1);
  std::size_t at = find(haystack, needle);
  if (is_text && is_continuation(needle[0]) && at != 0) at = haystack.npos;  // it would be within a character
  if (at == haystack.npos) return sqlite3_result_int(context, 0);
  const auto skipped = haystack.substr(0, at + 1).substr(1);
  const auto inner = is_text ? std::count_if(skipped.begin(), skipped.end(), is_continuation) : 0;
  sqlite3_result_int64(context, static_cast<std::int64_t>(at) - inner + 1);
}

void Functions::replace(sqlite3_context* context, const char*, Arguments arguments) {
  if (std::any_of(arguments.begin(), arguments.end(), is_null)) return;
  std::string_view rest = text_of(arguments[0]);
  const std::string_view old = text_of(arguments[1]), fresh = text_of(arguments[2]);
  if (old.empty() || old[0] == '\0') return sqlite3_result_value(context, arguments[0]);
  sqlite3_str* const out = sqlite3_str_new(sqlite3_context_db_handle(context));  // has the limit on lengths
  const auto append = [out](std::string_view piece) {
    sqlite3_str_append(out, piece.data(), static_cast<int>(piece.size()));
  };
  for (std::size_t at; (at = find(rest, old)) != rest.npos && !sqlite3_str_errcode(out);) {
    append(rest.substr(0, at));
    append(fresh);
    rest.remove_prefix(at + old.size());
  }
  append(rest);
  const int status = sqlite3_str_errcode(out), size = sqlite3_str_length(out);
  char* const text = sqlite3_str_finish(out);
  if (status != SQLITE_OK) {
    sqlite3_free(text);
    return sqlite3_result_error_code(context, status);
  }
  sqlite3_result_text(context, text ? text : "", size, text ? sqlite3_free : SQLITE_STATIC);
}

// X LIKE Y is like(Y, X), and the same for GLOB. Those of SQLite try each part of a pattern at each place.
void Functions::match(sqlite3_context* context, const char* name, Arguments arguments) {
  const int longest = sqlite3_limit(sqlite3_context_db_handle(context), SQLITE_LIMIT_LIKE_PATTERN_LENGTH, -1);
  if (sqlite3_value_bytes(arguments[0]) > longest) {
    return sqlite3_result_error(context, "LIKE or GLOB pattern too complex", -1);
  }
  if (arguments.size() > 2 || std::any_of(arguments.begin(), arguments.end(), is_blob) ||
      product_of_sizes(arguments) > kStepsMax) {
    return every_pair(context, name, arguments);
  }
  if (std::any_of(arguments.begin(), arguments.end(), is_null)) return;
  const char* const pattern = text_of(arguments[0]).data();
  const char* const text = text_of(arguments[1]).data();
  if (!pattern || !text) return sqlite3_result_error_nomem(context);
  const int difference = name[0] == 'g' ? sqlite3_strglob(pattern, text) : sqlite3_strlike(pattern, text, 0);
  sqlite3_result_int(context, difference == 0);
}

// A function that compares each part of its first argument with each of its second.
void Functions::every_pair(sqlite3_context* context, const char* name, Arguments arguments) {
  if (product_of_sizes(arguments) <= kStepsMax) return call_original(context, name, arguments);
  const std::string message = std::string(name) + "() of " + std::to_string(sqlite3_value_bytes(arguments[0])) +
                              " and " + std::to_string(sqlite3_value_bytes(arguments[1])) +
                              " bytes would take too long: give it less of one or both, such as with substr()";
  sqlite3_result_error(context, message.c_str(), -1);
}

void Functions::format(sqlite3_context* context, const char* name, Arguments arguments) {
  const std::string_view format = arguments.empty() ? std::string_view() : text_of(arguments[0]);
  const int longest = sqlite3_limit(sqlite3_context_db_handle(context), SQLITE_LIMIT_LENGTH, -1);
  std::size_t used = 1;
  for (std::size_t at = 0; (at = format.find('%', at)) != format.npos;) {
    const Conversion conversion(format, ++at, arguments, used);
    if (conversion.repeated() > static_cast<std::uint64_t>(longest)) {
      return sqlite3_result_error_toobig(context);
    }
  }
  call_original(context, name, arguments);
}

}  // namespace sqlite
