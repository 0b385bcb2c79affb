#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "cli/verbs.h"
#include "foreign/reader.h"

namespace collet::cli {
namespace {

using foreign::Findings;
using foreign::Remote;
using foreign::Secrets;

void say(std::string_view line) { fmt::print(stderr, "{}\n", foreign::printable(line)); }

void report(const std::string& file, const Findings& findings) {
  for (const auto& [at, message] : findings.notes) say(foreign::at(file, {at, "note: " + message}));
  for (const auto& [at, message] : findings.left_out) say(foreign::at(file, {at, "left out: " + message}));
  for (const Remote& remote : findings.remotes) {
    for (const std::string& variable : remote.needs) {
      if (std::getenv(variable.c_str())) continue;
      say(foreign::at(file,
                      {remote.at, fmt::format("misconfigured: {}: the environment variable {} is not set; the "
                                              "remote stays away until Collet is started with it",
                                              remote.name, variable)}));
    }
  }
}

void show(const std::vector<Remote>& remotes) {
  for (const Remote& remote : remotes) {
    say(fmt::format("[remote.{}] {}{}", remote.name, foreign::summary(remote),
                    remote.enabled ? "" : " (disabled)"));
  }
}

std::string tables(const std::vector<Remote>& remotes, Secrets secrets) {
  std::string out;
  for (const Remote& remote : remotes) out += (out.empty() ? "" : "\n") + foreign::to_toml(remote, secrets);
  return out;
}

int print(const std::vector<Remote>& remotes) {
  const bool on_screen = isatty(STDOUT_FILENO);
  fmt::print("{}", tables(remotes, on_screen ? Secrets::redacted : Secrets::shown));
  if (on_screen) say("*** stands for what may be secret; use --write CONFIG, or send the output to a file");
  return kOk;
}

// The file that the tables go to, with what stands there now.
struct Target {
  std::string file;
  std::string text;
  std::vector<config::Remote> remotes;
};

Result<Target> open_target(const std::string& file) {
  Target target{file, {}, {}};
  std::error_code failure;
  if (std::filesystem::exists(file, failure) || failure) {
    auto text = config::read_file(file, limits::kConfigBytesMax);
    if (!text) return text.failure();
    target.text = *std::move(text);
  }
  auto config = config::parse(target.text, file);
  if (!config) return error("nothing is imported, since the configuration has mistakes:\n{}", config.message());
  target.remotes = std::move(config->remote);
  return target;
}

void drop_known(const Target& target, std::vector<Remote>& remotes) {
  std::erase_if(remotes, [&](const Remote& remote) {
    const auto same_name = [&](const config::Remote& other) { return other.name == remote.name; };
    if (std::none_of(target.remotes.begin(), target.remotes.end(), same_name)) return false;
    say(fmt::format("{} has a remote {} already, which stays as it is", target.file, remote.name));
    return true;
  });
}

Result<void> ask(const std::vector<Remote>& remotes, const std::string& file) {
  const char* hint = "; say --yes if all of that may run and be connected to";
  if (!isatty(STDIN_FILENO)) return error("nothing is written to {}: there is no terminal to ask on{}", file, hint);
  fmt::print(stderr, "Shall `collet serve` do that, by {} more in {}? [y/N] ",
             remotes.size() == 1 ? "one remote" : fmt::format("{} remotes", remotes.size()),
             foreign::printable(file));
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return {};
  return error("nothing is written to {}", file);
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// Only ever adds to the end, so that nothing there can be lost; what does not fit on the disk is taken back.
Result<void> append(const Target& target, const std::string& added) {
  const int fd = open(target.file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return error("cannot write to {}: {}", target.file, std::strerror(errno));
  struct stat status;
  const auto size = static_cast<off_t>(target.text.size());
  Result<void> result;
  if (fstat(fd, &status) != 0 || status.st_size != size) {
    result = error("nothing is written to {}: it has changed meanwhile; try again", target.file);
  } else if (!write_all(fd, added)) {
    const int cause = errno;
    const bool restored = ftruncate(fd, size) == 0;
    result = error("cannot write to {}: {}{}", target.file, std::strerror(cause),
                   restored ? "" : "; its end is incomplete now");
  }
  close(fd);
  return result;
}

void warn_of_readers(const Target& target, const std::vector<Remote>& remotes) {
  struct stat status;
  const bool secret = tables(remotes, Secrets::shown) != tables(remotes, Secrets::redacted);
  if (!secret || stat(target.file.c_str(), &status) != 0 || !(status.st_mode & (S_IRGRP | S_IROTH))) return;
  say(fmt::format("{} may hold secrets now, and others than you can read it: chmod 600, or use ${{env:NAME}}",
                  target.file));
}

int write_to(const std::string& file, std::vector<Remote> remotes, bool agreed) {
  const auto target = open_target(file);
  if (!target) return complain(target.message());
  drop_known(*target, remotes);
  if (remotes.empty()) {
    say(fmt::format("there is nothing to add to {}", file));
    return kOk;
  }
  show(remotes);
  std::string added = tables(remotes, Secrets::shown);
  if (!target->text.empty()) added.insert(0, target->text.ends_with('\n') ? "\n" : "\n\n");
  const std::string text = target->text + added;
  if (text.size() > limits::kConfigBytesMax) {
    return complain(
        fmt::format("nothing is written to {}: it would have more than {} bytes", file, limits::kConfigBytesMax));
  }
  if (auto good = config::parse(text, file); !good) {
    return complain(
        fmt::format("nothing is written to {}, which would not be right then:\n{}", file, good.message()));
  }
  if (!agreed) {
    if (auto yes = ask(remotes, file); !yes) return complain(yes.message());
  }
  if (auto written = append(*target, added); !written) return complain(written.message());
  warn_of_readers(*target, remotes);
  return kOk;
}

}  // namespace

int import_servers(const ImportOptions& options) {
  const auto text = config::read_file(options.file, limits::kForeignConfigBytesMax);
  if (!text) return complain(text.message());
  auto findings = foreign::read_remotes(*text, options.file, options.workspace);
  if (!findings) return complain(foreign::printable(findings.message()));
  report(options.file, *findings);
  if (options.write.empty()) show(findings->remotes);
  const int done = options.write.empty() ? print(findings->remotes)
                                         : write_to(options.write, std::move(findings->remotes), options.yes);
  return done == kOk && !findings->left_out.empty() ? kInvalid : done;
}

}  // namespace collet::cli
