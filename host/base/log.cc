#include "base/log.h"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "base/display.h"
#include "base/patient_writer.h"

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

PatientWriter& standard_error() {
  static auto* const writer = new PatientWriter(STDERR_FILENO);  // also for what is said when the process ends
  return *writer;
}

// As of ECMA-48, on a terminal.
std::string_view color_of(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::err:
      return "\033[31m\033[1m";
    case spdlog::level::warn:
      return "\033[33m\033[1m";
    case spdlog::level::info:
      return "\033[32m";
    case spdlog::level::debug:
      return "\033[36m";
    default:
      return "\033[37m";
  }
}

class Sink final : public spdlog::sinks::base_sink<std::mutex> {
 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t formatted;
    formatter_->format(message, formatted);
    const std::string_view line(formatted.data(), formatted.size());
    const std::size_t begin = message.color_range_start, end = message.color_range_end;
    if (!colored_ || end <= begin) return standard_error().write(line);
    standard_error().write(fmt::format("{}{}{}\033[0m{}", line.substr(0, begin), color_of(message.level),
                                       line.substr(begin, end - begin), line.substr(end)));
  }
  void flush_() override {}

  const bool colored_ = isatty(STDERR_FILENO) && std::getenv("TERM") && !std::getenv("NO_COLOR");
};

spdlog::logger& logger() {
  static spdlog::logger instance = [] {
    spdlog::logger made("collet", std::make_shared<Sink>());
    made.set_pattern("%Y-%m-%d %H:%M:%S.%e %^%l%$ %v");
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

Format format() { return current_format; }

bool enabled(Level level) { return logger().should_log(to_spdlog(level)); }

void print(std::string_view lines) { standard_error().write(lines); }

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

void write_lines(Level level, std::string_view prefix, std::string_view lines) {
  if (!enabled(level)) return;
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = lines.find('\n');
    write(level, fmt::format("{}{}", prefix, lines.substr(0, end)));
    if (end != std::string_view::npos) lines.remove_prefix(end + 1);
  }
}

}  // namespace collet::log
