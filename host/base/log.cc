#include "base/log.h"

#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/spdlog.h>

#include "base/display.h"

namespace collet::log {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::trace:
      return spdlog::level::trace;
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::off:
      return spdlog::level::off;
  }
  return spdlog::level::off;
}

// Of syslog.
int severity_of(Level level) {
  switch (level) {
    case Level::error:
      return 3;
    case Level::warning:
      return 4;
    case Level::info:
      return 6;
    default:
      return 7;
  }
}

Format current_format = Format::text;  // set once, by configure(), before other threads start

spdlog::logger& logger() {
  static spdlog::logger instance = [] {
    spdlog::logger made("collet", std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>());
    made.set_pattern("%H:%M:%S.%e %^%l%$ %v");
    return made;
  }();
  return instance;
}

// Tabs stay: stack traces have them.
std::string printable(std::string_view message) {
  std::string out;
  for (;;) {
    const std::size_t tab = message.find('\t');
    out += display::printable(message.substr(0, tab));
    if (tab == std::string_view::npos) return out;
    out += '\t';
    message.remove_prefix(tab + 1);
  }
}

}  // namespace

void configure(Level level, Format format) {
  current_format = format;
  logger().set_level(to_spdlog(level));
  if (format == Format::json) {
    logger().set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","message":%v})");
  } else if (format == Format::prefixed) {
    logger().set_pattern("%v");
  }
}

bool enabled(Level level) { return logger().should_log(to_spdlog(level)); }

void write(Level level, std::string_view message) {
  switch (current_format) {
    case Format::text:
      return logger().log(to_spdlog(level), printable(message));
    case Format::json:
      return logger().log(to_spdlog(level), display::json_string(message));
    case Format::prefixed:
      return logger().log(to_spdlog(level), fmt::format("<{}>{}", severity_of(level), printable(message)));
  }
}

}  // namespace collet::log
