// A remote that another program's configuration names, on its way to a [remote.<name>] of ours.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "config/document.h"

namespace collet::foreign {

using Pairs = std::vector<std::pair<std::string, std::string>>;  // names and values, in the order of the file

// The fields are keys of [remote.<name>], which config/collet.toml explains; what is empty is not written.
// References in texts are as Collet has them: ${env:NAME}, ${env:NAME:-other}, ${name} of `variables`.
struct Remote {
  std::string name;
  config::Position at;
  bool enabled = true;
  std::string transport;
  std::string command;
  std::vector<std::string> args;
  std::string cwd;
  std::string url;
  Pairs env;
  Pairs headers;
  Pairs variables;
  std::optional<std::vector<std::string>> only;
  std::vector<std::string> hide;
  std::optional<std::uint64_t> timeout_ms;
  std::optional<std::uint64_t> start_timeout_ms;
  std::string ca;
  std::string client_certificate;
  std::string client_key;
  struct {
    std::string type;
    std::string client_id;
    std::string client_secret;
    std::optional<std::uint64_t> redirect_port;
    std::vector<std::string> scopes;
    std::string resource;
  } auth;

  std::set<std::string> needs;  // the environment variables without which it cannot work
};

// A key of TOML, in quotes if it has to be.
std::string toml_key(const std::string& key);

enum class Secrets : bool { shown, redacted };

// The arguments of a command, with *** for what may be secret.
std::vector<std::string> redact_arguments(const std::vector<std::string>& args);

// The table as TOML, which ends with a newline. Redacted, it has *** for what may be secret and is for reading
// only.
std::string to_toml(const Remote& remote, Secrets secrets);

// What will run or be connected to, on one line, redacted, for a person to judge: nothing in it can hide on or
// steer a terminal.
std::string summary(const Remote& remote);

}  // namespace collet::foreign
