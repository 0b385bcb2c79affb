// Some of SQLite's functions take a time that is the square of their arguments' length, or is not bounded by it at
// all, and nobody is asked meanwhile whether to go on. Here are the same functions, bounded.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <span>
#include <utility>

struct sqlite3;
struct sqlite3_context;
struct sqlite3_stmt;
struct sqlite3_value;

namespace sqlite {

// Puts its functions on a connection, which it must outlive. Each asks `should_stop` before it begins, and then
// takes some tenths of a second at most: instr() and replace() by a search that is linear, the others by refusing
// arguments that are too long together. LIKE and GLOB find no index any more. Used by the thread that uses the
// connection; the constructor throws Failure.
class Functions {
 public:
  Functions(sqlite3* db, std::function<bool()> should_stop);
  ~Functions();
  Functions(const Functions&) = delete;
  Functions& operator=(const Functions&) = delete;

 private:
  using Arguments = std::span<sqlite3_value*>;
  using Body = void (Functions::*)(sqlite3_context* context, const char* name, Arguments arguments);
  struct Bound {
    Functions* functions;
    const char* name;
    Body body;
  };

  static void on_call(sqlite3_context* context, int count, sqlite3_value** values);
  void add(sqlite3* db, const char* name, int argument_count, Body body);
  bool open_originals(int length_max);  // false: there is no memory for it
  void call_original(sqlite3_context* context, const char* name, Arguments arguments);

  void instr(sqlite3_context* context, const char* name, Arguments arguments);
  void replace(sqlite3_context* context, const char* name, Arguments arguments);
  void match(sqlite3_context* context, const char* name, Arguments arguments);
  void every_pair(sqlite3_context* context, const char* name, Arguments arguments);
  void format(sqlite3_context* context, const char* name, Arguments arguments);

  const std::function<bool()> should_stop_;
  std::deque<Bound> bound_;       // SQLite points to its elements
  sqlite3* originals_ = nullptr;  // an empty database, where SQLite's own functions have their names
  std::map<std::pair<const char*, std::size_t>, sqlite3_stmt*> calls_;  // one a name and number of arguments
};

}  // namespace sqlite
