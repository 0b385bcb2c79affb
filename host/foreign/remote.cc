#include "foreign/remote.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/display.h"

namespace collet::foreign {
namespace {

using config::toml_string;
using display::looks_secret;
using display::names_secret;
using display::printable;
using display::redact;

constexpr auto npos = std::string_view::npos;

bool is_bare(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

// A file, or something for a shell: who is to agree to it has to see it, even where a secret is expected.
bool may_run(std::string_view text) {
  return text.find_first_of("/.~!|") == 0 || text.find_first_of("`;|&<>()\n") != npos;
}

// A person who is asked to agree judges the host; that a parameter's name says nothing of a secret proves nothing.
std::string redact_url(std::string_view url) { return display::redact_url(url, display::Values::all); }

// Of what a shell gets: URLs, NAME=VALUE, credentials behind their scheme, and words that look secret.
std::string redact_credentials(std::string_view text) {
  std::string out;
  const auto is_end = [](char c) { return std::string_view(" \t\r\n'\"").find(c) != npos; };
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" \t\r\n'\""), text.size());
    const std::string_view word = text.substr(0, end);
    const std::size_t equals = word.find('=');
    const bool is_scheme = word == "Bearer" || word == "Basic";
    if (word.find("://") != npos) {
      out += redact_url(word);
    } else if (equals != npos && equals > 0 && names_secret(word.substr(0, equals)) &&
               !may_run(word.substr(equals + 1))) {
      out += std::string(word.substr(0, equals + 1)) + redact(word.substr(equals + 1));
    } else {
      out += looks_secret(word) ? redact(word) : std::string(word);
    }
    text.remove_prefix(end);
    if (is_scheme && text.starts_with(' ')) {
      const std::size_t value_end = std::min(text.find_first_of(" \t\r\n'\"", 1), text.size());
      out += ' ' + redact(text.substr(1, value_end - 1));
      text.remove_prefix(value_end);
    }
    while (!text.empty() && is_end(text[0])) {
      out += text[0];
      text.remove_prefix(1);
    }
  }
  return out;
}

// A connection string: NAME=VALUE parts between semicolons, one of which names a secret.
bool is_connection(std::string_view value) {
  const std::size_t semicolon = value.find(';'), equals = value.find('=');
  return equals < semicolon && semicolon != npos && names_secret(value);
}

std::string redact_connection(std::string_view value) {
  std::string out;
  for (std::size_t begin = 0; begin < value.size();) {
    const std::size_t end = std::min(value.find(';', begin), value.size());
    const std::string_view part = value.substr(begin, end - begin);
    const std::size_t equals = part.find('=');
    const bool hides = equals != npos && names_secret(part.substr(0, equals));
    out += hides ? std::string(part.substr(0, equals + 1)) + redact(part.substr(equals + 1)) : std::string(part);
    if (end < value.size()) out += ';';
    begin = end + 1;
  }
  return out;
}

// The value of something called `name`.
std::string redact_value(std::string_view name, std::string_view value) {
  if (!may_run(value) && (names_secret(name) || looks_secret(value))) return redact(value);
  if (is_connection(value)) return redact_connection(value);
  const bool is_url = value.find("://") != npos && value.find_first_of(" \n") == npos;
  return is_url ? redact_url(value) : redact_credentials(value);
}

// `before` is the argument in front of it: an option may want its value there.
std::string redact_argument(std::string_view argument, std::string_view before) {
  const std::size_t equals = argument.find('=');
  if (equals != npos && (argument.starts_with("--env=") || argument.starts_with("--header="))) {
    return std::string(argument.substr(0, equals + 1)) +
           redact_argument(argument.substr(equals + 1), argument.substr(0, equals));
  }
  if (equals != npos && names_secret(argument.substr(0, equals))) {
    return std::string(argument.substr(0, equals + 1)) +
           redact_value(argument.substr(0, equals), argument.substr(equals + 1));
  }
  // What docker hands on to its container, and what programs take a password or key by.
  if (equals != npos && (before == "-e" || before == "--env") && !may_run(argument.substr(equals + 1)))
    return std::string(argument.substr(0, equals + 1)) + redact(argument.substr(equals + 1));
  if ((before == "-p" || before == "-k") && !argument.starts_with('-') && !may_run(argument))
    return redact(argument);
  const bool is_value = !argument.starts_with('-') && before.starts_with('-') && before.find('=') == npos;
  return redact_value(!is_value ? "" : before == "-H" ? "--header" : before, argument);
}

Pairs redact_environment(Pairs env) {
  for (auto& [name, value] : env) value = may_run(value) ? redact_value(name, value) : redact(value);
  return env;
}

Pairs redact_headers(Pairs headers) {
  for (auto& [name, value] : headers) value = redact(value);
  return headers;
}

// Writes the keys of one table, those that are set.
class Table {
 public:
  explicit Table(std::string& out) : out_(out) {}

  void add(std::string_view key, const std::string& text) {
    if (!text.empty()) line(key, toml_string(text));
  }
  void add(std::string_view key, const std::vector<std::string>& texts) {
    if (!texts.empty()) line(key, list(texts));
  }
  void add(std::string_view key, const std::optional<std::vector<std::string>>& texts) {
    if (texts) line(key, list(*texts));
  }
  void add(std::string_view key, const std::optional<std::uint64_t>& number) {
    if (number) line(key, fmt::format("{}", *number));
  }
  void add(std::string_view key, const Pairs& pairs) {
    std::string inner;
    for (const auto& [name, value] : pairs) {
      inner += fmt::format("{}{} = {}", inner.empty() ? "" : ", ", toml_key(name), toml_string(value));
    }
    if (!pairs.empty()) line(key, "{ " + inner + " }");
  }
  void line(std::string_view key, std::string_view value) { out_ += fmt::format("{} = {}\n", key, value); }

 private:
  static std::string list(const std::vector<std::string>& texts) {
    std::string inner;
    for (const std::string& text : texts) inner += (inner.empty() ? "" : ", ") + toml_string(text);
    return "[" + inner + "]";
  }

  std::string& out_;
};

// As a shell would want it.
std::string quoted(const std::string& argument) {
  constexpr std::string_view kPlain = "-_./:@%+=,~";
  const bool plain = !argument.empty() && std::all_of(argument.begin(), argument.end(), [&](char c) {
    return is_bare({&c, 1}) || kPlain.find(c) != npos || static_cast<unsigned char>(c) >= 0x80;
  });
  if (plain) return argument;
  std::string out = "'";
  for (const char c : argument) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

std::vector<std::string> redact_arguments(const std::vector<std::string>& args) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < args.size(); ++i) out.push_back(redact_argument(args[i], i ? args[i - 1] : ""));
  return out;
}

std::string toml_key(const std::string& key) { return is_bare(key) ? key : toml_string(key); }

std::string to_toml(const Remote& remote, Secrets secrets) {
  const bool redacted = secrets == Secrets::redacted;
  std::string out = fmt::format("[remote.{}]\n", toml_key(remote.name));
  Table table(out);
  if (!remote.enabled) table.line("enabled", "false");
  table.add("command", remote.command);
  table.add("args", redacted ? redact_arguments(remote.args) : remote.args);
  table.add("cwd", remote.cwd);
  table.add("url", redacted ? redact_url(remote.url) : remote.url);
  table.add("transport", remote.transport);
  table.add("env", redacted ? redact_environment(remote.env) : remote.env);
  table.add("headers", redacted ? redact_headers(remote.headers) : remote.headers);
  table.add("variables", remote.variables);
  table.add("only", remote.only);
  table.add("hide", remote.hide);
  table.add("timeout_ms", remote.timeout_ms);
  table.add("start_timeout_ms", remote.start_timeout_ms);
  table.add("ca", remote.ca);
  table.add("client_certificate", remote.client_certificate);
  table.add("client_key", remote.client_key);
  table.add("auth.type", remote.auth.type);
  table.add("auth.client_id", remote.auth.client_id);
  table.add("auth.client_secret", redacted ? redact(remote.auth.client_secret) : remote.auth.client_secret);
  table.add("auth.redirect_port", remote.auth.redirect_port);
  table.add("auth.scopes", remote.auth.scopes);
  table.add("auth.resource", remote.auth.resource);
  return out;
}

std::string summary(const Remote& remote) {
  if (!remote.url.empty()) return printable("connects to " + redact_url(remote.url));
  std::string line = "runs ";
  for (const auto& [name, value] : redact_environment(remote.env))
    line += fmt::format("{}={} ", name, quoted(value));
  line += quoted(remote.command);
  for (const std::string& argument : redact_arguments(remote.args)) line += ' ' + quoted(argument);
  if (!remote.cwd.empty()) line += " in " + quoted(remote.cwd);
  return printable(line);
}

}  // namespace collet::foreign
