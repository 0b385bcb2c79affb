#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <exception>

#include "loop/standard_streams.h"
#include "plugin/host_table.h"
#include "plugin/library.h"
#include "plugin/preflight.h"
#include "plugin/preflight_frame.h"
#include "plugin/structs.h"

namespace collet::plugin {
namespace {

std::string read_all(int fd) {
  std::string text;
  char buffer[4096];
  off_t at = 0;
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
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) std::signal(number, SIG_DFL);
}

std::string try_create(const PluginTable& table, std::string_view config) {
  CallTable calls({});
  CallOwner owner(table.id, 0);
  Items items(CallRules{});
  Blobs blobs;
  HostSide side{calls, owner, items, blobs, {}};
  const collet_host host = make_host_table(side);
  collet_create_params params{};
  params.struct_size = sizeof params;
  params.flags = COLLET_CREATE_PROBE;
  params.generation = 1;
  params.config = {config.data(), config.size()};
  void* self = nullptr;
  const std::int32_t status = table.functions.create(&host, &params, &self);
  if (status < 0) {
    const std::string item = items.last_error();
    return fmt::format("its create() returned {} ({}){}{}", status_name(status), status, item.empty() ? "" : ": ",
                       item);
  }
  items.close();
  table.functions.destroy(self);
  return {};
}

// Why the file cannot be used, or empty. Libraries are kept: that they can be closed is the host's concern, once
// they have been loaded there.
std::string try_file(const std::string& path, std::string_view config,
                     std::vector<std::unique_ptr<Library>>& libraries) {
  auto library = Library::open(PrivateFile::borrowed(path));
  if (!library) return library.message();
  const Library& kept = *libraries.emplace_back(std::move(*library));
  if (kept.table().functions.flags & COLLET_PLUGIN_WORKER_ONLY) return std::string(kWorkerOnly);
  try {
    return try_create(kept.table(), config);
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

bool report(std::string_view problem) {
  std::string frame;
  preflight::append_frame(frame, problem);
  for (std::string_view rest = frame; !rest.empty();) {
    const ssize_t count = write(preflight::kReportDescriptor, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

int preflight_main(int, char**) {
  prepare_to_die();
  const std::string request = read_all(STDIN_FILENO);
  const int nothing = open("/dev/null", O_RDONLY);
  if (nothing >= 0) {
    dup2(nothing, STDIN_FILENO);
    if (nothing > preflight::kReportDescriptor) close(nothing);
  }
  std::string_view rest = request;
  std::vector<std::unique_ptr<Library>> libraries;
  while (const auto path = preflight::take_frame(rest)) {
    const auto config = preflight::take_frame(rest);
    if (!config) break;
    std::string problem = try_file(std::string(*path), *config, libraries);
    if (problem.empty()) problem = find_closed_descriptor();
    loop::fill_standard_descriptors();  // the next library is not to blame
    if (!report(problem)) _exit(preflight::kReportFailed);
  }
  _exit(0);  // no destructor of any library
}

}  // namespace collet::plugin
