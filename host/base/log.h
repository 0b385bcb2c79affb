// The log: lines on stderr. A plugin's lines carry its id. Any thread.
#pragma once

#include <fmt/core.h>

#include <string_view>

namespace collet::log {

enum class Level { trace, debug, info, warning, error, off };
// prefixed: <N> in front of each line, its severity as of syslog, and nothing else (sd-daemon(3)): for a process whose
// lines another one logs.
enum class Format { text, json, prefixed };

void configure(Level level, Format format);
// Async-signal-safe.
Format format();
bool enabled(Level level);

// Writes lines to stderr as they are, each with its end. As those of the log, they are lost, counted and said, where
// nobody reads them.
void print(std::string_view lines);

// Writes one line; control characters in `message` are escaped, so that no peer can forge a line.
void write(Level level, std::string_view message);
// A line for each of `lines`, with `prefix` in front.
void write_lines(Level level, std::string_view prefix, std::string_view lines);

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::debug)) write(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::info)) write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::warning)) write(Level::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::error)) write(Level::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace collet::log
