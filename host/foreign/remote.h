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
  struct {
    std::string client_id;
    std::string client_secret;
    std::optional<std::uint64_t> redirect_port;
    std::vector<std::string> scopes;
  } auth;

  std::set<std::string> needs;  // the environment variables without which it cannot work
};

enum class Secrets : bool { shown, redacted };

// The table as TOML, which ends with a newline. Redacted, it has *** for what may be secret and is for reading
// only.
std::string to_toml(const Remote& remote, Secrets secrets);

// What will run or be connected to, on one line, redacted, for a person to judge: nothing in it can hide on or
// steer a terminal.
std::string summary(const Remote& remote);

// A text of any origin as it can be shown on one line of a terminal.
std::string printable(std::string_view text);

}  // namespace collet::foreign
