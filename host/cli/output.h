// What a verb has to say: its result on stdout, words to the person on stderr, and its exit code.
#pragma once

#include <fmt/core.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace collet::cli {

// Exit codes of all verbs.
inline constexpr int kOk = 0;
inline constexpr int kUsage = 1;        // wrong usage or configuration
inline constexpr int kUnwritten = 3;    // the result could not be written
inline constexpr int kUnreachable = 4;  // an address cannot be reached or listened on
inline constexpr int kToolError = 5;    // the tool says that it failed
inline constexpr int kInvalid = 5;      // what was to be validated is not valid
inline constexpr int kNotReplaced = 6;  // a plugin goes on as it was, or the configuration does
inline constexpr int kUndelivered = 7;  // a client over stdio was asked to wait for answers that it has not got
inline constexpr int kPartly = 8;       // of what was to be imported, or loaded to be listed, a part was left out

// A line or more on stderr, which cannot steer a terminal. That they cannot be written is no error.
void say(std::string_view text);
// Says what is wrong; returns the exit code.
int complain(const std::string& message, int exit_code = kUsage);

// "; did you mean list?" if `word` looks like a slip for one of the known ones; else empty.
std::string suggestion(std::string_view word, std::span<const std::string> known);

// False if not all of it could be written; errno says why.
bool write_all(int descriptor, std::string_view text);

// A verb's result.
class Output {
 public:
  // Takes the descriptor over. Made before any loop, which has SIGPIPE ignored.
  explicit Output(int descriptor);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // On a terminal nothing of the text can steer it; elsewhere its bytes are written as they are.
  void write(std::string_view text);
  template <class... Args>
  void print(fmt::format_string<Args...> format, Args&&... args) {
    write(fmt::format(format, std::forward<Args>(args)...));
  }

  // Columns of the terminal; kAnyWidth elsewhere.
  std::size_t width() const;
  bool is_terminal() const { return is_terminal_; }
  // Something is missing: the rest need not be made.
  bool failed() const { return error_ != 0; }

  // After the last write: the verb's exit code. If something is missing stderr is told, and kOk becomes kUnwritten;
  // if whoever read the output has gone, the process ends by SIGPIPE without a word, as those before `| head` do.
  int finish(int exit_code);

 private:
  int descriptor_;
  bool is_terminal_;
  bool dies_of_pipe_;  // nobody before us had SIGPIPE ignored
  int error_ = 0;      // errno of the first write that failed
};

}  // namespace collet::cli
