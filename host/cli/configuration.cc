#include "cli/configuration.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "base/display.h"
#include "base/log.h"
#include "base/json_members.h"
#include "base/text.h"
#include "config/header_name.h"
#include "service/program.h"

namespace collet::cli {
namespace {

std::string name_of(const std::string& header) { return header.substr(0, header.find(':')); }

// {"Authorization":"Bearer …"}
std::string headers_of(const CommonOptions& options) {
  json::ObjectText headers;
  if (!options.token.empty()) headers.add_text("Authorization", "Bearer " + options.token);
  for (const std::string& header : options.headers) {
    const std::size_t colon = header.find(':');
    const std::size_t value = header.find_first_not_of(" \t", colon + 1);
    headers.add_text(name_of(header), value == std::string::npos ? "" : header.substr(value));
  }
  return headers.take();
}

// The first variable that ${env:NAME} in there wants and that is not set; empty if there is none.
std::string unset_variable(std::string_view text) {
  constexpr std::string_view kBegin = "${env:";
  for (std::size_t at = text.find(kBegin); at != std::string_view::npos; at = text.find(kBegin, at + 1)) {
    const std::size_t begin = at + kBegin.size(), end = text.find('}', begin);
    if (end == std::string_view::npos) break;
    const std::string name(text.substr(begin, end - begin));
    if (name.find(":-") == std::string::npos && !std::getenv(name.c_str())) return name;
  }
  return {};
}

// Of an option, in words that show no value; empty if it can be sent.
std::string problem_of_value(std::string_view option, const std::string& value) {
  if (const std::string name = unset_variable(value); !name.empty())
    return fmt::format("{}: the environment variable {} is not set", option, display::printable(name));
  const auto is_control = [](unsigned char c) { return (c < ' ' && c != '\t') || c == 0x7f; };
  if (std::any_of(value.begin(), value.end(), is_control))
    return fmt::format("{}: it has a line break or another control character", option);
  return {};
}

// What is wrong with how the one server was named; empty if nothing is.
std::string problem_of(const CommonOptions& options) {
  if (std::string wrong = problem_of_value("--url", options.url); !wrong.empty()) return wrong;
  const std::string_view url = options.url;
  const bool is_http =
      text::equals_ignoring_case(url.substr(0, 7), "http://") || text::equals_ignoring_case(url.substr(0, 8), "https://");
  if (options.command.empty() && !is_http && !options.url.starts_with("${"))
    return fmt::format("--url: {} is no http:// or https:// URL", display::printable(display::redact_url(options.url)));
  if (std::string wrong = problem_of_value("--token", options.token); !wrong.empty()) return wrong;
  for (const std::string& header : options.headers) {
    const std::string name = name_of(header);
    if (!text::is_token(name))
      return fmt::format("--header: '{}' is no name of a header", display::printable(name));
    if (config::is_own_header(name)) return fmt::format("--header: {} is set by Collet itself", name);
    if (!options.token.empty() && text::equals_ignoring_case(name, "Authorization"))
      return "--token and --header Authorization exclude each other: both say who you are";
    if (std::string wrong = problem_of_value("--header " + name, header); !wrong.empty()) return wrong;
  }
  return {};
}

// No plugins, and one remote whose items keep their names. A command is run as it would be at the prompt where it was
// typed: by the shell, with the variables of the person, who sees its stderr.
config::Config only_remote(const CommonOptions& options) {
  const bool by_url = options.command.empty();
  const std::string name = by_url ? display::redact_url(options.url) : "remote";  // tokens are kept under it
  json::ObjectText remote;
  remote.add_text("prefix", "").add_text("name", name);
  if (by_url) {
    remote.add_text("url", options.url).add("headers", headers_of(options));
  } else {
    const std::string args[] = {"-c", options.command};
    remote.add("inherit_env", R"(["*"])").add_text("command", "/bin/sh").add("args", text::json_strings(args));
  }
  config::Config config;
  config.log.level = log::Level::warning;
  config.remotes_used_by = "terminal";
  config.remote.push_back({name, remote.take(), {}});
  return config;
}

}  // namespace

Result<config::Config> read_config(const CommonOptions& options) {
  if (!options.config_file.empty()) return config::load(options.config_file);
  return config::Config::defaults(service::default_plugin_folder());
}

Result<config::Config> load_config(const CommonOptions& options) {
  if (options.name_server()) {
    if (const std::string wrong = problem_of(options); !wrong.empty()) return error("{}", wrong);
    config::Config config = only_remote(options);
    log::configure(config.log.level, config.log.format);
    return config;
  }
  auto config = read_config(options);
  if (config) log::configure(config->log.level, config->log.format);
  return config;
}

}  // namespace collet::cli
