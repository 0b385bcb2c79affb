#include "base/log.h"

#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/spdlog.h>

#include "base/text.h"

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

Format current_format = Format::text;  // set once, by configure(), before other threads start

spdlog::logger& logger() {
  static spdlog::logger instance = [] {
    spdlog::logger made("collet", std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>());
    made.set_pattern("%H:%M:%S.%e %^%l%$ %v");
    return made;
  }();
  return instance;
}

std::string without_control_characters(std::string_view message) {
  std::string clean;
  clean.reserve(message.size());
  for (char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7f) {
      clean += fmt::format("\\x{:02x}", byte);
    } else {
      clean += c;
    }
  }
  return clean;
}

}  // namespace

void configure(Level level, Format format) {
  current_format = format;
  logger().set_level(to_spdlog(level));
  if (format == Format::json) {
    logger().set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","message":%v})");
  }
}

bool enabled(Level level) { return logger().should_log(to_spdlog(level)); }

void write(Level level, std::string_view message) {
  if (current_format == Format::json) {
    std::string quoted;
    text::append_json_string(quoted, message);
    logger().log(to_spdlog(level), quoted);
  } else {
    logger().log(to_spdlog(level), without_control_characters(message));
  }
}

}  // namespace collet::log
