#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <exception>
#include <filesystem>
#include <iterator>
#include <system_error>

#include "base/descriptor.h"
#include "loop/standard_streams.h"
#include "plugin/abi/create_errors.h"
#include "plugin/abi/host_table.h"
#include "plugin/abi/structs.h"
#include "plugin/crash/alternate_stack.h"
#include "plugin/crash/recorder.h"
#include "plugin/load/config_check.h"
#include "plugin/load/descendants.h"
#include "plugin/load/library.h"
#include "plugin/load/preflight.h"
#include "plugin/load/preflight_frame.h"
#include "plugin/run/own_threads.h"

namespace collet::plugin {
namespace {

std::string read_request(int fd) {
  std::string text;
  char buffer[4096];
  off_t at = preflight::kRequestOffset;
  for (;;) {
    const ssize_t count = pread(fd, buffer, sizeof buffer, at);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(count));
    at += count;
  }
}

// A crash here is expected: no core, no pipe to a crash collector, no handler of a sanitizer.
void prepare_to_die() {
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  prctl(PR_SET_DUMPABLE, 0);
  for (const int number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) std::signal(number, SIG_DFL);
}

// To the host. The process ends if it cannot be told.
void report(std::string_view text) {
  std::string frame;
  preflight::append_frame(frame, text);
  for (std::string_view rest = frame; !rest.empty();) {
    const ssize_t count = write(preflight::kReportDescriptor, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) _exit(preflight::kReportFailed);
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::string try_create(const PluginTable& table, std::string_view config, OwnThreads& threads) {
  CallTable calls({});
  CallOwner owner(table.id, 0);
  Items items(CallRules{});
  Blobs blobs;
  CreateErrors errors;
  HostSide side{calls, owner, items, blobs, {}};
  side.create_errors = &errors;
  const collet_host host = make_host_table(side);
  collet_create_params params{};
  params.struct_size = sizeof params;
  params.flags = COLLET_CREATE_PROBE;
  params.generation = 1;
  params.config = {config.data(), config.size()};
  void* self = nullptr;
  const std::int32_t status = [&] {
    const OwnThreads::Inside inside(&threads, {crash::kInCreate});
    return table.functions.create(&host, &params, &self);
  }();
  if (status < 0) return errors.failure(status, items).message;
  items.close();
  const OwnThreads::Inside inside(&threads, {crash::kInDestroy});
  table.functions.destroy(self);
  return {};
}

// A library whose threads still run is kept: that they end is the host's concern.
bool has_other_threads() {
  std::error_code failed;
  const std::filesystem::directory_iterator threads("/proc/self/task", failed);
  return failed || std::distance(begin(threads), end(threads)) > 1;
}

// Why the file cannot be used, or empty; what the plugin says of itself is reported before. Its destructors are tried, too, but not of
// what was refused.
std::string try_file(const std::string& path, std::string_view config, std::string_view config_places,
                     OwnThreads& threads, std::vector<std::unique_ptr<Library>>& libraries) {
  auto library = [&] {
    const OwnThreads::Inside inside(&threads, {crash::kInLoading});
    return Library::open(PrivateFile::borrowed(path));
  }();
  report(library ? std::string_view((*library)->table().info) : std::string_view());
  if (!library) return library.message();
  Library& tried = *libraries.emplace_back(std::move(*library));
  if (tried.table().functions.flags & COLLET_PLUGIN_WORKER_ONLY) return std::string(kWorkerOnly);
  if (auto good = check_config(tried.table().info, config, config_places); !good) return good.message();
  try {
    std::string problem = try_create(tried.table(), config, threads);
    const OwnThreads::Inside inside(&threads, {crash::kInUnloading});
    if (problem.empty() && !has_other_threads()) tried.close();
    return problem;
  } catch (const std::exception& thrown) {
    return fmt::format("its create() threw an exception: {}", thrown.what());
  } catch (...) {
    return "its create() threw an exception";
  }
}

std::string find_closed_descriptor() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) < 0) return fmt::format("it closes file descriptor {}, which is not its own", fd);
  }
  return {};
}

// The process of one trial, or of several if they let it.
[[noreturn]] void try_all(int request_file, int reports) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const std::string request = read_request(request_file);
  if (crash::Record* record = crash::map_record(request_file, 0)) crash::record_end(*record);
  const crash::AlternateStack stack;
  dup2(reports, preflight::kReportDescriptor);
  close_range(preflight::kReportDescriptor + 1, ~0u, 0);
  std::string_view rest = request;
  const auto threads = std::make_shared<OwnThreads>("the one that is tried");
  std::vector<std::unique_ptr<Library>> libraries;
  while (const auto path = preflight::take_frame(rest)) {
    const auto config = preflight::take_frame(rest);
    const auto config_places = preflight::take_frame(rest);
    if (!config || !config_places) break;
    std::string problem = try_file(std::string(*path), *config, *config_places, *threads, libraries);
    if (problem.empty()) problem = find_closed_descriptor();
    loop::fill_standard_descriptors();  // the next library is not to blame
    report(problem);
  }
  _exit(0);  // no destructor of any library
}

// Waits for the trial's end, and causes it if the host does not want to know any more.
int end_of(pid_t trial) {
  const Descriptor process(static_cast<int>(syscall(SYS_pidfd_open, trial, 0)));
  pollfd waiting[] = {{process.get(), POLLIN, 0}, {preflight::kParentDescriptor, POLLIN, 0}};
  while (poll(waiting, 2, -1) < 0 && errno == EINTR) {
  }
  if (waiting[1].revents != 0) kill(trial, SIGKILL);
  int status = 0;
  while (waitpid(trial, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

int preflight_main(int, char**) {
  prepare_to_die();
  adopt_orphans();
  for (;;) {
    preflight::Message message;
    ssize_t count = 0;
    do {
      count = recvmsg(preflight::kParentDescriptor, message.header(), MSG_CMSG_CLOEXEC);
    } while (count < 0 && errno == EINTR);
    int request = -1;
    int reports = -1;
    if (count <= 0 || !message.detach(request, reports)) _exit(0);
    const pid_t trial = fork();
    if (trial < 0) _exit(1);
    if (trial == 0) try_all(request, reports);
    close(request);
    close(reports);
    const int status = end_of(trial);
    const bool told = send(preflight::kParentDescriptor, &status, sizeof status, MSG_NOSIGNAL) > 0;
    end_descendants();
    if (!told) _exit(0);
  }
}

}  // namespace collet::plugin
