#include "foreign/remote_reader.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <sstream>

#include "base/limits.h"
#include "config/config.h"
#include "config/header_name.h"
#include "config/section.h"
#include "foreign/launch.h"

namespace collet::foreign {
namespace fs = std::filesystem;

struct RemoteReader::Key {
  std::string_view name;
  void (RemoteReader::*read)(const Value&);
};

const RemoteReader::Key RemoteReader::kKeys[] = {
    {"type", &RemoteReader::read_type},
    {"transport", &RemoteReader::read_transport},
    {"transportType", &RemoteReader::read_type},
    {"command", &RemoteReader::read_command},
    {"cmd", &RemoteReader::read_command},
    {"args", &RemoteReader::read_args},
    {"env", &RemoteReader::read_env},
    {"envs", &RemoteReader::read_env},
    {"environment", &RemoteReader::read_env},
    {"env_vars", &RemoteReader::read_env_vars},
    {"env_keys", &RemoteReader::read_env_vars},
    {"cwd", &RemoteReader::read_cwd},
    {"url", &RemoteReader::read_url},
    {"uri", &RemoteReader::read_url},
    {"serverUrl", &RemoteReader::read_url},
    {"httpUrl", &RemoteReader::read_http_url},
    {"headers", &RemoteReader::read_headers},
    {"http_headers", &RemoteReader::read_headers},
    {"env_http_headers", &RemoteReader::read_env_headers},
    {"bearer_token_env_var", &RemoteReader::read_bearer},
    {"apiKey", &RemoteReader::read_api_key},
    {"requestOptions", &RemoteReader::read_request_options},
    {"enabled", &RemoteReader::read_enabled},
    {"disabled", &RemoteReader::read_disabled},
    {"excludeTools", &RemoteReader::read_hidden},
    {"disabledTools", &RemoteReader::read_hidden},
    {"disabled_tools", &RemoteReader::read_hidden},
    {"tools", &RemoteReader::read_tools},
    {"available_tools", &RemoteReader::read_available},
    {"includeTools", &RemoteReader::read_allowed},
    {"enabled_tools", &RemoteReader::read_allowed},
    {"timeout", &RemoteReader::read_timeout},
    {"networkTimeout", &RemoteReader::read_timeout},
    {"tool_timeout_sec", &RemoteReader::read_timeout_s},
    {"startup_timeout_sec", &RemoteReader::read_start_timeout_s},
    {"startup_timeout_ms", &RemoteReader::read_start_timeout_ms},
    {"connectionTimeout", &RemoteReader::read_start_timeout_ms},
    {"scopes", &RemoteReader::read_scopes},
    {"oauth_resource", &RemoteReader::read_resource},
    {"oauth", &RemoteReader::read_auth},
    {"auth", &RemoteReader::read_auth},
    {"name", &RemoteReader::skip},
    {"source", &RemoteReader::skip},
    {"bundled", &RemoteReader::skip},
};

// What there is nothing of ours for, and what to do instead.
struct RemoteReader::Unmapped {
  std::string_view name;
  std::string_view why;
  bool is_needed = false;  // the remote may not work without, or would do what it must not
};

const RemoteReader::Unmapped RemoteReader::kUnmapped[] = {
    {"headersHelper", "Collet runs no command for headers; use ${env:NAME} in headers, or auth", true},
    {"envFile", "Collet reads no such files; put its variables into env, as ${env:NAME} if they are secret", true},
    {"sandbox", "Collet does not confine what it runs", true},
    {"sandboxEnabled", "Collet does not confine what it runs", true},
    {"dev", "there is nothing like it"},
    {"roots", "a remote is given the roots of the client that calls"},
    {"protocolEra", "Collet finds the era out by itself"},
    {"trust", "whether a tool may be called is for the client to ask"},
    {"alwaysAllow", "whether a tool may be called is for the client to ask"},
    {"autoApprove", "whether a tool may be called is for the client to ask"},
    {"default_tools_approval_mode", "whether a tool may be called is for the client to ask"},
    {"required", "nobody waits for a slow remote"},
    {"description", "a remote describes itself"},
    {"display_name", "a remote describes itself"},
    {"supports_parallel_tool_calls", "Collet makes calls side by side as clients ask for them"},
    {"experimental_environment", "Collet runs it on this machine"},
    {"environment_id", "Collet runs it on this machine"},
    {"bearer_token", "Codex does not take it either; name a variable in bearer_token_env_var", true},
    {"authProviderType", "set auth; config/collet.toml has its types", true},
    {"targetAudience", "set auth; config/collet.toml has its types", true},
    {"targetServiceAccount", "set auth; config/collet.toml has its types", true},
};

std::variant<Remote, config::Problem> RemoteReader::read(std::string name, const Value& server) {
  remote_.name = std::move(name);
  remote_.at = server.at;
  if (is_table(server)) {
    for (const Value::Member& member : server.members) read_member(member);
  }
  if (!problem_) Launch(remote_, surroundings_, met_, notes_).adapt();
  if (!problem_) drop_own_headers();
  if (!problem_) note_references();
  if (!problem_) check();
  if (problem_) return *std::move(problem_);
  return std::move(remote_);
}

void RemoteReader::read_member(const Value::Member& member) {
  key_ = member.key;
  const auto same_name = [&](const auto& row) { return row.name == member.key; };
  const auto* key = std::find_if(std::begin(kKeys), std::end(kKeys), same_name);
  if (key != std::end(kKeys)) return (this->*key->read)(member.value);
  const auto* unmapped = std::find_if(std::begin(kUnmapped), std::end(kUnmapped), same_name);
  const bool is_known = unmapped != std::end(kUnmapped);
  const std::string_view why = is_known ? unmapped->why : "it is not known here";
  if (is_known && unmapped->is_needed)
    return lose(member.at, "{} is not taken over: {}", config::in_quotes(member.key), why);
  note(member.at, "{} is not taken over: {}", config::in_quotes(member.key), why);
}

void RemoteReader::read_type(const Value& value) {
  const std::string type = text(value);
  constexpr std::array<std::string_view, 2> kStdio = {"stdio", "local"};
  constexpr std::array<std::string_view, 4> kHttp = {"http", "streamable-http", "streamableHttp",
                                                     "streamable_http"};
  const auto is_one_of = [&](const auto& words) {
    return std::find(words.begin(), words.end(), type) != words.end();
  };
  if (type == "sse") {
    remote_.transport = "sse";
  } else if (type == "remote") {
    remote_.transport = "";
  } else if (is_one_of(kHttp)) {
    remote_.transport = dialect_.http_or_sse ? "" : "http";
  } else if (!is_one_of(kStdio)) {
    fail(value, "{} {} is not known; Collet speaks stdio, http and sse", key_, config::in_quotes(type));
  }
}

// Cline has a table of type, command and so on here, others a word.
void RemoteReader::read_transport(const Value& value) {
  if (value.type != Value::Type::table) return read_type(value);
  for (const Value::Member& member : value.members) read_member(member);
}

// Zed has a table of path, args and env here, others may have the arguments in it.
void RemoteReader::read_command(const Value& value) {
  if (value.type == Value::Type::table) {
    for (const Value::Member& member : value.members) {
      if (member.key == "path") {
        remote_.command = text(member.value);
      } else {
        read_member(member);
      }
    }
  } else if (value.type == Value::Type::array) {
    std::vector<std::string> words = texts(value);
    if (words.empty()) return fail(value, "command is empty");
    remote_.command = words.front();
    remote_.args.insert(remote_.args.begin(), words.begin() + 1, words.end());
  } else {
    remote_.command = text(value);
  }
}

void RemoteReader::read_args(const Value& value) {
  for (std::string& each : texts(value)) remote_.args.push_back(std::move(each));
}

// Names, or tables with a name and where the variable is set, of Codex.
void RemoteReader::read_env_vars(const Value& value) {
  if (value.type != Value::Type::array) return fail(value, "{} must be a list", key_);
  for (const Value& item : value.items) {
    const Value* name = &item;
    for (const Value::Member& member : item.members) {
      if (member.key == "name") name = &member.value;
      if (member.key == "source" && member.value.text == "remote")
        note(member.at, "{}: a variable of another machine is taken from the environment of Collet", key_);
    }
    const std::string reference = variable(*name);
    if (!reference.empty()) remote_.env.emplace_back(name->text, reference);
  }
}

void RemoteReader::read_cwd(const Value& value) {
  const std::string folder = text(value);
  const bool is_relative = !folder.empty() && !folder.starts_with('/') && !folder.starts_with("${");
  remote_.cwd = is_relative
                    ? (fs::path(literal(surroundings_.workspace, met_)) / folder).lexically_normal().string()
                    : folder;
}

void RemoteReader::read_url(const Value& value) {
  const std::string url = text(value);
  if (url_is_final_) return note(value.at, "{} is not taken over: httpUrl is used", key_);
  remote_.url = url;
}

void RemoteReader::read_http_url(const Value& value) {
  if (!remote_.url.empty()) note(value.at, "url is not taken over: httpUrl is used");
  remote_.url = text(value);
  remote_.transport = "http";
  url_is_final_ = true;
}

void RemoteReader::read_env_headers(const Value& value) {
  if (!is_table(value)) return;
  for (const Value::Member& member : value.members)
    remote_.headers.emplace_back(member.key, variable(member.value));
}

void RemoteReader::read_bearer(const Value& value) {
  remote_.headers.emplace_back("Authorization", "Bearer " + variable(value));
}

void RemoteReader::read_api_key(const Value& value) {
  remote_.headers.emplace_back("Authorization", "Bearer " + text(value));
}

void RemoteReader::read_request_options(const Value& value) {
  if (!is_table(value)) return;
  for (const Value::Member& member : value.members) {
    key_ = "requestOptions." + member.key;
    read_request_option(member);
  }
}

void RemoteReader::read_request_option(const Value::Member& member) {
  if (member.key == "headers") return read_headers(member.value);
  if (member.key == "caBundlePath" && member.value.type == Value::Type::string) {
    remote_.ca = text(member.value);
  } else if (member.key == "clientCertificate" && is_table(member.value)) {
    for (const Value::Member& part : member.value.members) {
      if (part.key == "cert") remote_.client_certificate = text(part.value);
      if (part.key == "key") remote_.client_key = text(part.value);
      if (part.key == "passphrase")
        lose(part.at, "{}.passphrase is not taken over: the key has to be without", key_);
    }
  } else if (member.key == "verifySsl") {
    if (!member.value.boolean) lose(member.at, "{} is not taken over: certificates are verified; set ca", key_);
  } else {
    note(member.at, "{} is not taken over: it is not known here", key_);
  }
}

void RemoteReader::read_enabled(const Value& value) {
  if (value.type != Value::Type::boolean) return fail(value, "{} must be true or false", key_);
  remote_.enabled = value.boolean;
}

void RemoteReader::read_disabled(const Value& value) {
  read_enabled(value);
  remote_.enabled = !value.boolean;
}

void RemoteReader::read_hidden(const Value& value) {
  for (std::string& tool : texts(value)) remote_.hide.push_back(std::move(tool));
}

void RemoteReader::read_allowed(const Value& value) {
  std::vector<std::string> allowed = texts(value);
  if (std::find(allowed.begin(), allowed.end(), "*") != allowed.end()) return;
  remote_.only = std::move(allowed);
  note(value.at, "{} has become only: its resources and prompts are not offered unless they are named there, too",
       key_);
}

// A list of those that are offered, or a table of what Codex is to do with each.
void RemoteReader::read_tools(const Value& value) {
  if (value.type != Value::Type::table) return read_allowed(value);
  for (const Value::Member& tool : value.members) {
    for (const Value::Member& setting : tool.value.members) {
      note(setting.at, "tools.{}.{} is not taken over: {}", tool.key, setting.key,
           setting.key == "approval_mode" ? "whether a tool may be called is for the client to ask"
                                          : "it is not known here");
    }
  }
}

// Of Goose, for which none are all.
void RemoteReader::read_available(const Value& value) {
  if (value.type != Value::Type::array || !value.items.empty()) read_allowed(value);
}

void RemoteReader::read_timeout(const Value& value) {
  constexpr double kSecondsMax = 3'600;  // what programs that count seconds let people set
  constexpr double kLeastMs = 1'000;
  const double given = value.type == Value::Type::integer ? static_cast<double>(value.integer) : value.number;
  switch (dialect_.timeout) {
    case Timeout::start_ms:
      return read_start_timeout_ms(value);
    case Timeout::call_s:
      if (given <= kSecondsMax) return read_timeout_s(value);
      break;
    case Timeout::call_ms:
      if (given >= kLeastMs) return set_timeout(value, 1, remote_.timeout_ms, "timeout_ms");
      break;
    case Timeout::unknown:
      if (given > kSecondsMax) return set_timeout(value, 1, remote_.timeout_ms, "timeout_ms");
      break;
  }
  note(value.at, "{} is not taken over: it may be seconds or milliseconds; set timeout_ms", key_);
}

void RemoteReader::set_timeout(const Value& value, double factor, std::optional<std::uint64_t>& to,
                               std::string_view name) {
  const double given =
      factor * (value.type == Value::Type::integer ? static_cast<double>(value.integer) : value.number);
  if (given >= 1 && given <= static_cast<double>(limits::kTimeoutMsMax)) {
    to = static_cast<std::uint64_t>(given);
  } else {
    note(value.at, "{} is not taken over: {} goes from 1 to {}", key_, name, limits::kTimeoutMsMax);
  }
}

void RemoteReader::read_scopes(const Value& value) {
  if (value.type == Value::Type::array) {
    remote_.auth.scopes = texts(value);
  } else {
    std::istringstream words(text(value));
    remote_.auth.scopes.assign(std::istream_iterator<std::string>(words), {});
  }
}

void RemoteReader::read_auth(const Value& value) {
  if (value.type == Value::Type::string && value.text == "oauth") return;
  if (value.type == Value::Type::boolean) {
    if (!value.boolean) remote_.auth.type = "none";
    return;
  }
  if (value.type != Value::Type::table) return note(value.at, "{} is not taken over: it is no table", key_);
  const std::string key = key_;
  for (const Value::Member& member : value.members) {
    key_ = key + '.' + member.key;
    read_auth_member(member);
  }
}

void RemoteReader::read_auth_member(const Value::Member& member) {
  const Value& value = member.value;
  const auto is_one_of = [&](std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), member.key) != words.end();
  };
  if (is_one_of({"clientId", "CLIENT_ID", "client_id"})) {
    remote_.auth.client_id = text(value);
  } else if (is_one_of({"clientSecret", "CLIENT_SECRET", "client_secret"})) {
    remote_.auth.client_secret = text(value);
  } else if (is_one_of({"scopes", "scope"})) {
    read_scopes(value);
  } else if (member.key == "enabled" && value.type == Value::Type::boolean && value.boolean) {
    return;  // it is whenever the remote wants it
  } else if (member.key == "callbackPort" && value.type == Value::Type::integer && value.integer > 0 &&
             value.integer <= 65'535) {
    remote_.auth.redirect_port = static_cast<std::uint64_t>(value.integer);
  } else if (is_one_of({"authorizationUrl", "tokenUrl", "authServerMetadataUrl"})) {
    note(member.at, "{} is not taken over: it is found by what the remote says of itself; set auth.issuer if not",
         key_);
  } else if (is_one_of({"redirectUri", "callback_url", "callbackUrl"})) {
    note(member.at, "{} is not taken over: Collet listens on this machine; set auth.redirect_port", key_);
  } else {
    note(member.at, "{} is not taken over: it is not known here", key_);
  }
}

std::string RemoteReader::text(const Value& value) {
  std::string plain;
  if (value.type == Value::Type::string) {
    plain = value.text;
  } else if (value.type == Value::Type::integer) {
    plain = fmt::format("{}", value.integer);
  } else if (value.type == Value::Type::number) {
    plain = fmt::format("{}", value.number);
  } else if (value.type == Value::Type::boolean) {
    plain = value.boolean ? "true" : "false";
  } else {
    const bool is_nothing = value.type == Value::Type::table && value.members.empty();
    fail(value, "{} must be a string, not {}", key_,
         is_nothing ? "null or an empty table" : config::type_name(value.type));
    return {};
  }
  const Result<std::string> ours = translate(plain, dialect_.references, surroundings_, met_);
  if (!ours) {
    fail(value, "{}: {}", key_, ours.message());
    return {};
  }
  if (ours->find('\0') != std::string::npos) fail(value, "{} holds a NUL", key_);
  if (dialect_.references == References::braces && has_bare_variable(plain)) {
    note(value.at, "{} holds a bare $NAME, which stays as it is; write ${{NAME}} if the environment is meant",
         key_);
  }
  return *ours;
}

std::vector<std::string> RemoteReader::texts(const Value& value) {
  std::vector<std::string> out;
  if (value.type != Value::Type::array) {
    fail(value, "{} must be a list, not {}", key_, config::type_name(value.type));
    return out;
  }
  for (const Value& item : value.items) out.push_back(text(item));
  return out;
}

void RemoteReader::add_pairs(const Value& value, Pairs& pairs) {
  if (!is_table(value)) return;
  for (const Value::Member& member : value.members) {
    if (member.key.empty() || member.key.find('\0') != std::string::npos) {
      return fail(value, "{} has a name that is empty or holds a NUL", key_);
    }
    const auto same_name = [&](const auto& pair) { return pair.first == member.key; };
    if (std::any_of(pairs.begin(), pairs.end(), same_name))
      return fail(value, "{} names {} twice", key_, member.key);
    const std::string key = std::exchange(key_, key_ + '.' + member.key);
    pairs.emplace_back(member.key, text(member.value));
    key_ = key;
  }
}

std::string RemoteReader::variable(const Value& value) {
  if (value.type != Value::Type::string || !is_variable_name(value.text)) {
    fail(value, "{} must be the name of an environment variable", key_);
    return {};
  }
  met_.variables.insert(value.text);
  return fmt::format("${{env:{}}}", value.text);
}

bool RemoteReader::is_table(const Value& value) {
  if (value.type == Value::Type::table) return true;
  fail(value, "{} must be a table, not {}", key_.empty() ? "a server" : key_, config::type_name(value.type));
  return false;
}

// Many examples of such files name Accept or Content-Type, to no effect where they were written for.
void RemoteReader::drop_own_headers() {
  std::erase_if(remote_.headers, [&](const auto& header) {
    const bool is_own = config::is_own_header(header.first);
    if (is_own) note(remote_.at, "headers.{} is not taken over: Collet sets it itself", header.first);
    return is_own;
  });
}

void RemoteReader::note_references() {
  remote_.needs = met_.variables;
  if (met_.literal) remote_.variables.emplace_back("dollar", "$");
  for (const std::string& id : met_.inputs) {
    const Input& input = surroundings_.inputs.find(id)->second;
    note(remote_.at, "${{input:{}}} is now ${{env:{}}} ({})", id, input.variable, input.says);
  }
}

// By the rules of the configuration that it is to stand in. What was given is not repeated: it may be secret.
void RemoteReader::check() {
  constexpr std::string_view kFile = "f";
  const auto parsed = config::parse(to_toml(remote_, Secrets::shown), kFile);
  if (parsed) return;
  std::string why = parsed.message().substr(0, parsed.message().find('\n'));
  why.erase(0, why.find(": ") + 2);
  problem_ = config::Problem{remote_.at, why.substr(0, why.find(", not "))};
}

}  // namespace collet::foreign
