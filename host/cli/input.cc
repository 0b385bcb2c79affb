#include "cli/input.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/descriptor.h"
#include "base/text.h"
#include "config/document.h"

namespace collet::cli {
namespace {

Result<std::string> read_all(int from, const std::string& name, std::size_t bytes_max) {
  std::string text;
  char buffer[64 << 10];
  while (text.size() <= bytes_max) {
    const ssize_t count = read(from, buffer, sizeof buffer);
    if (count == 0) return std::string(text::without_byte_order_mark(text));
    if (count > 0) {
      text.append(buffer, static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      return error("cannot read {}: {}", name, std::strerror(errno));
    }
  }
  return error("cannot read {}: it has more than {} bytes", name, bytes_max);
}

// RapidJSON says what is missing, but for these.
std::string_view in_words(std::string_view message) {
  if (message == "Invalid value") {
    return "a value is expected: an object, an array, a string in double quotes, a number, true, false or null";
  }
  if (message == "Missing a name for object member") return "a name in double quotes is expected, or }";
  if (message == "The document is empty") return "it is empty";
  if (message == "The document root must not be followed by other values") return "the end of the text is expected";
  return message;
}

}  // namespace

Result<std::string> read_input(const std::string& file, int in, std::size_t bytes_max) {
  if (file == "-") return read_all(in, "stdin", bytes_max);
  const Descriptor opened(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (opened.get() < 0) return error("cannot open {}: {}", file, std::strerror(errno));
  return read_all(opened.get(), file, bytes_max);
}

std::string read_line(int in) {
  std::string line;
  for (char c; read(in, &c, 1) == 1 && c != '\n';) line += c;
  return line;
}

std::string describe(std::string_view text, const json::ParseError& wrong) {
  const config::Position at = config::position_of(text, wrong.offset);
  return fmt::format("{}:{}: {}", at.line, at.column, in_words(wrong.message));
}

Result<std::string> read_arguments(const std::string& given, int in, std::size_t bytes_max) {
  const bool is_file = given.starts_with('@');
  const std::string name = is_file ? given.substr(1) : given == "-" ? "stdin" : "--args";
  Result<std::string> text =
      name == "--args" ? Result<std::string>(given) : read_input(is_file ? name : given, in, bytes_max);
  if (!text) return text;
  json::Document arguments;
  if (const auto wrong = json::parse(*text, arguments)) {
    return error("{}:{}; the arguments must be a JSON object", name, describe(*text, *wrong));
  }
  if (!arguments.IsObject()) return error("{}: the arguments must be a JSON object", name);
  return text;
}

}  // namespace collet::cli
