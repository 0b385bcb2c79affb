#include "cli/remote_tables.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/display.h"
#include "cli/output.h"

namespace collet::cli {

using foreign::Findings;
using foreign::Remote;
using foreign::Secrets;

namespace {

// Whether [remote.<name>] there says what ours does, perhaps in other words.
bool is_same(const Target& target, const config::Remote& there, const Remote& remote) {
  const auto ours = config::parse(foreign::to_toml(remote, Secrets::shown), target.file);
  return ours && ours->remote.front() == there;
}

}  // namespace

void tell(std::string_view line) { say(display::printable(line)); }

void report(const std::string& file, const Findings& findings) {
  for (const auto& [at, message] : findings.notes) tell(foreign::at(file, {at, "note: " + message}));
  for (const auto& [at, message] : findings.left_out) tell(foreign::at(file, {at, "left out: " + message}));
  for (const Remote& remote : findings.remotes) {
    for (const std::string& variable : remote.needs) {
      if (std::getenv(variable.c_str())) continue;
      tell(foreign::at(file,
                       {remote.at, fmt::format("misconfigured: {}: the environment variable {} is not set; the "
                                               "remote stays away until Collet is started with it",
                                               remote.name, variable)}));
    }
  }
}

void show(const std::vector<Remote>& remotes) {
  for (const Remote& remote : remotes) {
    tell(fmt::format("[remote.{}] {}{}", remote.name, foreign::summary(remote),
                     remote.enabled ? "" : " (disabled)"));
  }
}

std::string tables(const std::vector<Remote>& remotes, Secrets secrets) {
  std::string out;
  for (const Remote& remote : remotes) out += (out.empty() ? "" : "\n") + foreign::to_toml(remote, secrets);
  return out;
}

Result<Target> open_target(const std::string& file) {
  Target target{file, {}, {}, {}};
  std::error_code failure;
  const auto status = std::filesystem::status(file, failure);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    return error("{} is not a regular file", file);
  if (std::filesystem::exists(status) || !std::filesystem::status_known(status)) {
    auto text = config::read_file(file, limits::kConfigBytesMax);
    if (!text) return text.failure();
    target.text = *std::move(text);
  }
  auto config = config::parse(target.text, file);
  if (!config) return error("nothing is imported, since the configuration has mistakes:\n{}", config.message());
  target.remotes = std::move(config->remote);
  target.server = std::move(config->server);
  return target;
}

bool is_self(const Target& target, const Remote& remote) {
  namespace fs = std::filesystem;
  const auto is_file = [&](std::string_view argument) {
    constexpr std::string_view kOption = "--config=";
    if (argument.starts_with(kOption)) argument.remove_prefix(kOption.size());
    std::error_code failure;
    return fs::weakly_canonical(argument, failure) == fs::weakly_canonical(target.file, failure) && !failure;
  };
  if (remote.url.empty())
    return fs::path(remote.command).filename() == "collet" &&
           std::any_of(remote.args.begin(), remote.args.end(), is_file);
  for (transport::Address address : target.server.listen) {
    for (const std::string& host :
         {address.host, std::string("127.0.0.1"), std::string("::1"), std::string("localhost")}) {
      address.host = host;
      const std::string url = address.url();
      if (remote.url == url + target.server.path || remote.url == url + target.server.sse_path) return true;
    }
  }
  return false;
}

void drop_self(const Target& target, const std::string& file, std::vector<Remote>& remotes) {
  std::erase_if(remotes, [&](const Remote& remote) {
    const bool is_it = is_self(target, remote);
    if (is_it)
      tell(foreign::at(file, {remote.at, fmt::format("left out: {} is Collet itself, with {}, and no remote of it",
                                                     remote.name, target.file)}));
    return is_it;
  });
}

bool drop_known(const Target& target, std::vector<Remote>& remotes) {
  bool all_same = true;
  std::erase_if(remotes, [&](const Remote& remote) {
    const auto same_name = [&](const config::Remote& other) { return other.name == remote.name; };
    const auto there = std::find_if(target.remotes.begin(), target.remotes.end(), same_name);
    if (there == target.remotes.end()) return false;
    const bool same = is_same(target, *there, remote);
    all_same = all_same && same;
    tell(same ? fmt::format("{} has {} already", target.file, remote.name)
              : fmt::format("left out: {}: {} has another remote {}, which stays as it is", remote.name,
                            target.file, remote.name));
    return true;
  });
  return all_same;
}

Result<std::string> addition(const Target& target, const std::vector<Remote>& remotes) {
  std::string added = tables(remotes, Secrets::shown);
  if (!target.text.empty()) added.insert(0, target.text.ends_with('\n') ? "\n" : "\n\n");
  const std::string text = target.text + added;
  if (text.size() > limits::kConfigBytesMax) {
    return error("nothing is written to {}: it would have more than {} bytes", target.file,
                 limits::kConfigBytesMax);
  }
  if (auto good = config::parse(text, target.file); !good) {
    return error("nothing is written to {}, which would not be right then:\n{}", target.file, good.message());
  }
  return added;
}

void warn_of_readers(const std::string& file, const std::vector<Remote>& remotes) {
  struct stat status;
  const bool secret = tables(remotes, Secrets::shown) != tables(remotes, Secrets::redacted);
  if (!secret || stat(file.c_str(), &status) != 0 || !(status.st_mode & (S_IRGRP | S_IROTH))) return;
  tell(fmt::format("{} may hold secrets now, and others than you can read it: chmod 600, or use ${{env:NAME}}",
                   file));
}

}  // namespace collet::cli
