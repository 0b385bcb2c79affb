#include "client/offer/config.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include <collet/kit/fnv.hpp>
#include <collet/kit/text.hpp>
#include <collet/schema.hpp>

#include "client/net/http_header.h"
#include "client/net/text.h"

namespace collet::client {
namespace {

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '-';
}

std::string made_fit(std::string name, std::size_t bytes_max) {
  const std::string whole = name;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !is_name_character(c); }, '_');
  if (name.size() > bytes_max) {
    const std::string end = "_" + kit::fnv1a_hex(whole).substr(0, 8);
    name.resize(bytes_max > end.size() ? bytes_max - end.size() : 0);
    name += end;
  }
  return name;
}

// The text of what stands in ${…}.
Result<std::string> value_of(std::string_view key, const RemoteConfig& remote, const CallerLookup& caller) {
  if (key.starts_with("env:")) {
    std::string name(key.substr(4));
    std::optional<std::string> otherwise;
    if (const std::size_t at = name.find(":-"); at != std::string::npos) {
      otherwise = name.substr(at + 2);
      name.resize(at);
    }
    if (const char* value = std::getenv(name.c_str())) return std::string(value);
    if (otherwise) return *otherwise;
    return Error{"the environment variable " + name + " is not set"};
  }
  if (const auto found = remote.variables.find(std::string(key)); found != remote.variables.end()) {
    return expand(found->second, {.name = remote.name}, caller);
  }
  if (key == "principal" || key.starts_with("header:")) {
    if (!caller.info) return Error{"${" + std::string(key) + "} is known only while somebody calls"};
    if (key != "principal") {
      const bool allowed = std::any_of(remote.forward_headers.begin(), remote.forward_headers.end(),
                                       [&](const auto& name) { return equals_ignoring_case(name, key.substr(7)); });
      if (!allowed) return Error{"${" + std::string(key) + "} is not listed in forward_headers"};
    }
    if (auto value = caller.info(key)) return std::move(*value);
    return Error{"the caller's request has no ${" + std::string(key) + "}"};
  }
  return Error{"${" + std::string(key) + "} is not defined: set it in [remote." + remote.name + ".variables]"};
}

std::vector<std::string> variables_that_fit(const std::vector<std::string>& patterns) {
  std::vector<std::string> names;
  for (char** variable = environ; *variable; ++variable) {
    const std::string_view text(*variable);
    const std::string_view name = text.substr(0, text.find('='));
    const auto one_fits = [&](const std::string& pattern) { return kit::is_like(name, pattern); };
    if (std::any_of(patterns.begin(), patterns.end(), one_fits)) names.emplace_back(name);
  }
  return names;
}

template <class OnText, class OnKey>
void split(std::string_view text, OnText&& on_text, OnKey&& on_key) {
  while (!text.empty()) {
    const std::size_t begin = text.find("${");
    const std::size_t end = begin == std::string_view::npos ? begin : text.find('}', begin);
    on_text(text.substr(0, end == std::string_view::npos ? end : begin));
    if (end == std::string_view::npos) return;
    on_key(text.substr(begin + 2, end - begin - 2));
    text.remove_prefix(end + 1);
  }
}

}  // namespace

void ClientConfig::describe(collet::Fields<ClientConfig>& f) {
  f(&ClientConfig::remotes).optional().element_schema(kOneAddress);
  f(&ClientConfig::name_bytes_max).optional();
  f(&ClientConfig::version).optional();
  f(&ClientConfig::used_by).optional();
  f(&ClientConfig::keeper).optional();
  f(&ClientConfig::remembers).optional();
}

std::string schema_of_config() { return collet::schema_of<ClientConfig>(); }

ClientConfig read_config(std::string_view json) {
  auto config = collet::from_json<ClientConfig>(json, "config");
  for (const RemoteConfig& remote : config.remotes) check(remote);
  return config;
}

Result<std::string> expand(std::string_view text, const RemoteConfig& remote, const CallerLookup& caller) {
  std::string out;
  std::optional<Error> failure;
  split(
      text, [&](std::string_view plain) { out += plain; },
      [&](std::string_view key) {
        auto value = value_of(key, remote, caller);
        value ? void(out += *value) : void(failure = value.failure());
      });
  if (failure) return *failure;
  return out;
}

bool is_constant(std::string_view text) {
  bool constant = true;
  split(
      text, [](std::string_view) {},
      [&](std::string_view key) { constant = constant && key != "principal" && !key.starts_with("header:"); });
  return constant;
}

Result<std::vector<HttpHeader>> constant_headers(const RemoteConfig& remote) {
  std::vector<HttpHeader> out;
  for (const auto& [name, text] : remote.headers) {
    if (!is_constant(text)) continue;
    auto value = expand(text, remote);
    if (!value) return Error{"header " + name + ": " + value.message()};
    auto header = checked_header(name, *value);
    if (!header) return header.failure();
    out.push_back(std::move(*header));
  }
  return out;
}

std::vector<std::string> secrets_of(const std::vector<HttpHeader>& headers) {
  std::vector<std::string> secrets;
  for (const HttpHeader& header : headers) {
    std::string_view value = header.value;
    for (const std::string_view scheme : {"Bearer ", "Basic "}) {
      if (value.starts_with(scheme)) value.remove_prefix(scheme.size());
    }
    secrets.emplace_back(value);
  }
  return secrets;
}

std::string without(std::string text, const std::vector<std::string>& secrets) {
  constexpr std::size_t kTellingBytes = 6;  // shorter ones are words
  for (const std::string& secret : secrets) {
    if (secret.size() < kTellingBytes) continue;
    for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos;) text.replace(at, secret.size(), "***");
  }
  return text;
}

Result<Command> command_of(const RemoteConfig& remote) {
  Command command;
  std::optional<Error> failure;
  const auto expanded = [&](const std::string& text) {
    auto value = expand(text, remote);
    if (!value) failure = value.failure();
    return value ? std::move(*value) : std::string();
  };
  command.program = expanded(remote.command);
  for (const std::string& argument : remote.args) command.arguments.push_back(expanded(argument));
  for (const auto& [name, value] : remote.env) command.environment.emplace_back(name, expanded(value));
  command.folder = expanded(remote.cwd);
  if (failure) return *failure;
  if (remote.inherit_env) command.inherited = variables_that_fit(*remote.inherit_env);
  return command;
}

Result<TlsPtr> tls_of(const RemoteConfig& remote) {
  TlsFiles files;
  const std::pair<const char*, std::pair<const std::string*, std::string*>> kKeys[] = {
      {"ca", {&remote.ca, &files.ca}},
      {"client_certificate", {&remote.client_certificate, &files.certificate}},
      {"client_key", {&remote.client_key, &files.key}},
  };
  for (const auto& [key, where] : kKeys) {
    auto path = expand(*where.first, remote);
    if (!path) return Error{std::string(key) + ": " + path.message()};
    *where.second = std::move(*path);
  }
  return files.any() ? read_tls(files) : TlsPtr();
}

std::string final_name(const RemoteConfig& remote, const std::string& name, std::size_t bytes_max) {
  if (const auto renamed = remote.rename.find(name); renamed != remote.rename.end()) return renamed->second;
  return remote.prefix ? made_fit(*remote.prefix + name, bytes_max) : with_own_prefix(remote, name, bytes_max);
}

std::string with_own_prefix(const RemoteConfig& remote, const std::string& name, std::size_t bytes_max) {
  return made_fit(remote.name + "__" + name, bytes_max);
}

}  // namespace collet::client
