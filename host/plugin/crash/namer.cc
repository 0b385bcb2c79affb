#include "plugin/crash/namer.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstring>
#include <map>
#include <memory>
#include <string_view>

#include "base/descriptor.h"
#include "base/spawn_attributes.h"
#include "plugin/crash/code_file.h"
#include "plugin/crash/source_lines.h"

namespace collet::plugin::crash {
namespace {

constexpr std::chrono::seconds kNamingTime{5};
constexpr std::size_t kNamesBytesMax = 256u << 10;
constexpr std::size_t kNameBytesMax = 500;  // of a function: with templates they have no end

// A place on each line, and a name on each line of the answer: texts have neither tabs nor ends of lines in them.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ') c = '?';
  }
  return text;
}

std::uint64_t to_number(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Up to `end`, which is taken, too.
std::string_view take_until(std::string_view& rest, char end) {
  const std::size_t at = std::min(rest.find(end), rest.size());
  const std::string_view taken = rest.substr(0, at);
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return taken;
}

Descriptor pipe_of(const std::string& text) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {};
  Descriptor from(ends[0]);
  const Descriptor to(ends[1]);  // a pipe holds more than all places need
  if (write(to.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) return {};
  return from;
}

pid_t run(const std::string& executable, int in, int out) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  const SpawnAttributes attributes;
  char* arguments[] = {const_cast<char*>("collet"), const_cast<char*>(kNamerVerb), nullptr};
  char* variables[] = {nullptr};
  pid_t process = 0;
  const int failed = posix_spawn(&process, executable.c_str(), &actions, attributes.get(), arguments, variables);
  posix_spawn_file_actions_destroy(&actions);
  return failed ? 0 : process;
}

// What comes until the end, or until there was enough of it.
std::string read_names(int from) {
  std::string text;
  const auto deadline = std::chrono::steady_clock::now() + kNamingTime;
  while (text.size() < kNamesBytesMax) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    pollfd waiting{from, POLLIN, 0};
    const int ready = left > 0 ? poll(&waiting, 1, static_cast<int>(left)) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) break;
    char buffer[4096];
    const ssize_t size = read(from, buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    text.append(buffer, static_cast<std::size_t>(size));
  }
  return text;
}

std::string ask(const std::string& executable, const std::string& places) {
  int ends[2];
  const Descriptor in = pipe_of(places);
  if (!in || pipe2(ends, O_CLOEXEC) != 0) return {};
  const Descriptor from(ends[0]);
  Descriptor to(ends[1]);
  const pid_t process = run(executable, in.get(), to.get());
  to = Descriptor();
  if (process == 0) return {};
  std::string names = read_names(from.get());
  kill(process, SIGKILL);
  while (waitpid(process, nullptr, 0) < 0 && errno == EINTR) {
  }
  return names;
}

std::string read_standard_input() {
  std::string text;
  char buffer[4096];
  for (ssize_t size; (size = read(STDIN_FILENO, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(size));
  return text;
}

}  // namespace

std::vector<CodeName> find_names(const std::string& executable, const std::vector<CodePlace>& places) {
  std::vector<CodeName> names(places.size());
  std::string asked;
  for (const CodePlace& place : places) asked += fmt::format("{}\t{}\n", place.offset, one_line(place.file));
  if (places.empty()) return names;
  const std::string answer = ask(executable, asked);
  std::string_view rest = answer;
  for (CodeName& name : names) {
    std::string_view line = take_until(rest, '\n');
    name.past = to_number(take_until(line, '\t'));
    name.source = take_until(line, '\t');
    name.function = line;
  }
  return names;
}

void namer_main(const std::function<void()>& confine) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_DUMPABLE, 0);
  const rlimit seconds{kNamingTime.count(), kNamingTime.count()};
  setrlimit(RLIMIT_CPU, &seconds);
  const std::string asked = read_standard_input();
  struct Wanted {
    std::uint64_t offset;
    CodeFile* file;
  };
  std::map<std::string, std::unique_ptr<CodeFile>, std::less<>> files;
  std::vector<Wanted> all;
  for (std::string_view rest = asked; !rest.empty();) {
    std::string_view line = take_until(rest, '\n');
    const std::uint64_t offset = to_number(take_until(line, '\t'));
    const auto [at, is_new] = files.try_emplace(std::string(line));
    if (is_new && !line.empty()) at->second = std::make_unique<CodeFile>(at->first);
    all.push_back({offset, at->second.get()});
  }
  SourceLines lines;
  if (confine) confine();
  for (const Wanted& wanted : all) {
    CodeName name;
    if (wanted.file) {
      name = wanted.file->name_at(wanted.offset);
      name.source = lines.line_of(wanted.file->descriptor(), wanted.offset);
    }
    const std::string function = one_line(name.function).substr(0, kNameBytesMax);
    const std::string line = fmt::format("{}\t{}\t{}\n", name.past, one_line(name.source), function);
    if (write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) break;
  }
  _exit(0);
}

}  // namespace collet::plugin::crash
