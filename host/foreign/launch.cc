#include "foreign/launch.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <utility>

namespace collet::foreign {
namespace fs = std::filesystem;

void Launch::adapt() {
  split_command();
  pass_on_to_container();
  place_in_workspace();
}

// Some write a whole line where the program alone belongs, and some files come from Windows, where npx needs
// `cmd /c`.
void Launch::split_command() {
  const std::size_t blank = remote_.command.find(' ');
  const bool is_line = blank != std::string::npos && remote_.args.empty() &&
                       remote_.command.find_first_of("'\"\\") == std::string::npos &&
                       remote_.command.find_first_of("/$") > blank;  // else it may be a path with a blank
  if (is_line) {
    std::istringstream words(std::exchange(remote_.command, {}));
    words >> remote_.command;
    remote_.args.assign(std::istream_iterator<std::string>(words), {});
    note(remote_.at, "runs the program {}: its command is a whole line", remote_.command);
  }
  const bool is_cmd = remote_.command == "cmd" || remote_.command == "cmd.exe";
  if (is_cmd && remote_.args.size() > 1 && (remote_.args[0] == "/c" || remote_.args[0] == "/C")) {
    remote_.command = remote_.args[1];
    remote_.args.erase(remote_.args.begin(), remote_.args.begin() + 2);
    note(remote_.at, "runs {} without `cmd /c`, which only Windows has", remote_.command);
  }
}

// A container gets -e NAME from the environment of the command that starts it, which has not all of Collet's.
void Launch::pass_on_to_container() {
  const std::string program = fs::path(remote_.command).filename().string();
  if (program != "docker" && program != "podman") return;
  for (std::size_t i = 0; i < remote_.args.size(); ++i) {
    const std::string& argument = remote_.args[i];
    std::string name;
    if ((argument == "-e" || argument == "--env") && i + 1 < remote_.args.size()) {
      name = remote_.args[++i];
    } else if (argument.starts_with("--env=")) {
      name = argument.substr(6);
    } else if (argument.starts_with("-e")) {
      name = argument.substr(2);
    }
    const auto same_name = [&](const auto& pair) { return pair.first == name; };
    if (!is_variable_name(name) || std::any_of(remote_.env.begin(), remote_.env.end(), same_name)) continue;
    note(remote_.at, "gets {} of the environment, which it hands on to its container", name);
    remote_.env.emplace_back(name, fmt::format("${{env:{}}}", name));
    met_.variables.insert(name);
  }
}

// Programs start a server in the folder that is open; Collet in the one that it was started in itself.
void Launch::place_in_workspace() {
  if (remote_.command.empty() || !remote_.cwd.empty()) return;
  const auto is_relative = [](const std::string& path) {
    return path == "." || path == ".." || path.starts_with("./") || path.starts_with("../");
  };
  const bool own_program = remote_.command.find('/') != std::string::npos && remote_.command[0] != '/' &&
                           remote_.command[0] != '$' && remote_.command[0] != '~';
  if (!own_program && std::none_of(remote_.args.begin(), remote_.args.end(), is_relative)) return;
  remote_.cwd = literal(surroundings_.workspace, met_);
  note(remote_.at, "runs in {}, from where its relative paths seem to start", surroundings_.workspace);
}

}  // namespace collet::foreign
