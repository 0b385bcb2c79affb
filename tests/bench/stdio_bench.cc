// Times a child process on a pair of pipes, one JSON object a line on stdout:
//   stdio_bench pipe ROUNDS COMMAND…               a child that sends every line back: the floor
//   stdio_bench echo-lines                         such a child
//   stdio_bench call ROUNDS TOOL ARGS COMMAND…     tools/call round trips with an MCP server
//   stdio_bench start ROUNDS COMMAND…              from exec to the answer to the first tools/list
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

extern char** environ;

namespace {

using Clock = std::chrono::steady_clock;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

// A child with our pipes on its stdin and stdout.
class Child {
 public:
  explicit Child(char** command) {
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) die("pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    if (posix_spawnp(&pid_, command[0], &actions, nullptr, command, environ) != 0) die(command[0]);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    to_ = in[1];
    from_ = out[0];
  }
  ~Child() {
    close(to_);
    int status;
    waitpid(pid_, &status, 0);
    close(from_);
  }

  void send(const std::string& line) {
    for (std::size_t sent = 0; sent < line.size();) {
      const ssize_t n = write(to_, line.data() + sent, line.size() - sent);
      if (n < 0) die("write");
      sent += static_cast<std::size_t>(n);
    }
  }

  std::string receive() {
    std::size_t end;
    while ((end = held_.find('\n')) == std::string::npos) {
      char buffer[65536];
      const ssize_t n = read(from_, buffer, sizeof buffer);
      if (n <= 0) die("the child ended");
      held_.append(buffer, static_cast<std::size_t>(n));
    }
    std::string line = held_.substr(0, end);
    held_.erase(0, end + 1);
    return line;
  }

 private:
  pid_t pid_ = 0;
  int to_ = -1;
  int from_ = -1;
  std::string held_;
};

void report(std::vector<double> times_us) {
  std::sort(times_us.begin(), times_us.end());
  const auto at = [&](double share) { return times_us[static_cast<std::size_t>(share * (times_us.size() - 1))]; };
  std::printf("{\"p50_us\":%.2f,\"p99_us\":%.2f,\"min_us\":%.2f}\n", at(0.5), at(0.99), times_us.front());
}

const char kMeta[] =
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
    "\"io.modelcontextprotocol/clientCapabilities\":{}}";

void rounds(Child& child, const std::string& line, int count) {
  std::vector<double> times;
  for (int i = -count / 10; i < count; ++i) {  // the first tenth warms up
    const auto start = Clock::now();
    child.send(line);
    const std::string answer = child.receive();
    if (i >= 0) times.push_back(microseconds_since(start));
    if (answer.find("\"error\"") != std::string::npos) {
      std::fprintf(stderr, "%s\n", answer.c_str());
      std::exit(1);
    }
  }
  report(std::move(times));
}

std::string list_line() {
  return R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{)" + std::string(kMeta) + "}}\n";
}

// One of a remote comes a moment later than the server's own.
void await_tool(Child& child, const std::string& name) {
  constexpr unsigned kTriesMax = 10'000;
  for (unsigned tries = 0; tries < kTriesMax; ++tries) {
    child.send(list_line());
    if (child.receive().find("\"" + name + "\"") != std::string::npos) return;
    usleep(1'000);
  }
  die("the tool has not come");
}

void echo_lines() {
  char buffer[65536];
  ssize_t n;
  while ((n = read(0, buffer, sizeof buffer)) > 0) {
    if (write(1, buffer, static_cast<std::size_t>(n)) != n) return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "echo-lines") == 0) return echo_lines(), 0;
  if (argc < 3) return 1;
  const int count = std::atoi(argv[2]);
  const std::string mode = argv[1];
  const std::string call_line = [&] {
    const std::string tool = mode == "call" ? argv[3] : "echo";
    const std::string arguments = mode == "call" ? argv[4] : R"({"text":"hello world, this is a call"})";
    return R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":")" + tool + R"(","arguments":)" +
           arguments + "," + kMeta + "}}\n";
  }();
  if (mode == "pipe") {
    Child child(argv + 3);
    rounds(child, call_line, count);
  } else if (mode == "call") {
    Child child(argv + 5);
    await_tool(child, argv[3]);
    rounds(child, call_line, count);
  } else {
    std::vector<double> times;
    for (int i = 0; i < count; ++i) {
      const auto start = Clock::now();
      Child child(argv + 3);
      child.send(list_line());
      child.receive();
      times.push_back(microseconds_since(start));
    }
    report(std::move(times));
  }
}
