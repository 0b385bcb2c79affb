#include "foreign/remote.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace collet::foreign {
namespace {

constexpr auto npos = std::string_view::npos;
constexpr std::string_view kHidden = "***";

// The bytes at `at` that a terminal acts on without showing them, or 0: controls, and marks that are invisible or
// reverse what follows.
std::size_t steering_size(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = byte(at), second = byte(at + 1), third = byte(at + 2);
  if (first < 0x20 || first == 0x7f) return 1;
  if (first == 0xc2 && second >= 0x80 && second < 0xa0) return 2;                   // U+0080–009F
  if (first == 0xe2 && second == 0x80 && third >= 0x8b && third <= 0x8f) return 3;  // U+200B–200F
  if (first == 0xe2 && second == 0x80 && third >= 0xa8 && third <= 0xae) return 3;  // U+2028–202E
  if (first == 0xe2 && second == 0x81 && third >= 0xa0 && third <= 0xaf) return 3;  // U+2060–206F
  if (first == 0xd8 && second == 0x9c) return 2;                                    // U+061C
  return first == 0xef && second == 0xbb && third == 0xbf ? 3 : 0;                  // U+FEFF
}

// JSON's, but for one more character that has to be escaped.
std::string toml_string(std::string_view text) {
  std::string json, out;
  text::append_json_string(json, text);
  for (const char c : json) c == '\x7f' ? out.append("\\u007f") : out.append(1, c);
  return out;
}

bool is_bare(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

std::string toml_key(const std::string& key) { return is_bare(key) ? key : toml_string(key); }

// Keeps references, and the scheme in front of a credential.
std::string redact(std::string_view text) {
  std::string out;
  for (const std::string_view scheme : {"Bearer ", "Basic "}) {
    if (!text.starts_with(scheme)) continue;
    out = scheme;
    text.remove_prefix(scheme.size());
  }
  while (!text.empty()) {
    const std::size_t begin = text.find("${");
    const std::size_t end = begin == npos ? npos : text.find('}', begin);
    const bool plain = begin != 0 || end == npos;
    if (plain) out += kHidden;
    if (end == npos) break;
    const std::string_view reference = text.substr(begin, end + 1 - begin);
    const std::size_t otherwise = reference.find(":-");
    out += otherwise == npos ? std::string(reference)
                             : fmt::format("{}:-{}}}", reference.substr(0, otherwise), kHidden);
    text.remove_prefix(end + 1);
  }
  return out;
}

bool names_secret(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  constexpr std::array<std::string_view, 11> kWords = {"token", "secret", "pass",   "pwd",    "key",    "auth",
                                                       "cred",  "header", "cookie", "bearer", "session"};
  return std::any_of(kWords.begin(), kWords.end(), [&](auto word) { return lower.find(word) != npos; });
}

// Keys that are known by their beginning, and what is long, in one piece and of letters and digits.
bool looks_secret(std::string_view text) {
  constexpr std::array<std::string_view, 9> kStarts = {"sk-", "ghp_", "gho_", "github_pat_", "glpat-",
                                                       "xox", "eyJ",  "AKIA", "collet_"};
  constexpr std::size_t kLong = 20;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool is_opaque = text.size() >= kLong && text.find_first_of(" /.:\\$") == npos &&
                         std::any_of(text.begin(), text.end(), is_digit) &&
                         !std::all_of(text.begin(), text.end(), is_digit);
  return is_opaque ||
         std::any_of(kStarts.begin(), kStarts.end(), [&](auto start) { return text.starts_with(start); });
}

// A file, or something for a shell: who is to agree to it has to see it, even where a secret is expected.
bool may_run(std::string_view text) {
  return text.find_first_of("/.~!|") == 0 || text.find_first_of("`;|&<>()\n") != npos;
}

// Hides the values of a query and who logs in.
std::string redact_url(std::string_view url) {
  std::string out(url.substr(0, url.find('?')));
  std::string_view query = url.substr(out.size());
  const std::size_t host = out.find("://");
  const std::size_t authority_end = host == npos ? 0 : std::min(out.find('/', host + 3), out.size());
  const std::size_t at = authority_end == 0 ? npos : out.rfind('@', authority_end);
  if (at != npos && at > host) out.replace(host + 3, at - host - 3, kHidden);
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&', 1), query.size());
    const std::size_t value = query.substr(0, end).find('=');
    if (value != npos) {
      out += query.substr(0, value + 1);
      out += redact(query.substr(value + 1, end - value - 1));
    } else {
      out += query.substr(0, end);
    }
    query.remove_prefix(end);
  }
  return out;
}

// The value of something called `name`.
std::string redact_value(std::string_view name, std::string_view value) {
  if (!may_run(value) && (names_secret(name) || looks_secret(value))) return redact(value);
  return value.find("://") == npos ? std::string(value) : redact_url(value);
}

// `before` is the argument in front of it: an option may want its value there.
std::string redact_argument(std::string_view argument, std::string_view before) {
  const std::size_t equals = argument.find('=');
  if (equals != npos && names_secret(argument.substr(0, equals))) {
    return std::string(argument.substr(0, equals + 1)) +
           redact_value(argument.substr(0, equals), argument.substr(equals + 1));
  }
  const bool is_value = !argument.starts_with('-') && before.starts_with('-') && before.find('=') == npos;
  return redact_value(!is_value ? "" : before == "-H" ? "--header" : before, argument);
}

std::vector<std::string> redact_arguments(const std::vector<std::string>& args) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < args.size(); ++i) out.push_back(redact_argument(args[i], i ? args[i - 1] : ""));
  return out;
}

Pairs redact_environment(Pairs env) {
  for (auto& [name, value] : env) value = redact_value(name, value);
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

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = steering_size(text, at);
    for (std::size_t i = 0; i < size; ++i)
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at + i]));
    if (size == 0) out += text[at];
    at += std::max<std::size_t>(size, 1);
  }
  return out;
}

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
  table.add("auth.client_id", remote.auth.client_id);
  table.add("auth.client_secret", redacted ? redact(remote.auth.client_secret) : remote.auth.client_secret);
  table.add("auth.redirect_port", remote.auth.redirect_port);
  table.add("auth.scopes", remote.auth.scopes);
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
