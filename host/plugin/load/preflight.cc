#include "plugin/load/preflight.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>

#include "plugin/crash/report.h"
#include "plugin/load/preflight_frame.h"

namespace collet::plugin {
namespace {

using Clock = std::chrono::steady_clock;

// What is to be tried.
Result<Descriptor> make_request(const std::vector<PreflightFile>& files, std::size_t first) {
  std::string request;
  for (std::size_t i = first; i < files.size(); ++i) {
    preflight::append_frame(request, files[i].path);
    preflight::append_frame(request, files[i].config);
    preflight::append_frame(request, files[i].config_places);
  }
  Descriptor memory(memfd_create("collet-preflight", MFD_CLOEXEC));
  const auto size = static_cast<ssize_t>(request.size());
  if (!memory || pwrite(memory.get(), request.data(), request.size(), preflight::kRequestOffset) != size) {
    return error("cannot prepare a process for trial loading: {}", std::strerror(errno));
  }
  return memory;
}

std::vector<std::string> place_of_end(const Descriptor& request, const PreflightFile& file, const std::string& executable) {
  const auto record = crash::take_record(request.get(), 0);
  if (!record) return {};
  return crash::describe(*record, {.original = file.library, .copy = file.path, .view = file.view}, executable);
}

// A trial on its way through the files.
class Trial {
 public:
  Trial(TrialParent& parent, Descriptor reports) : parent_(parent), from_(std::move(reports)) {}

  // The next of the two reports of a file: what it says of itself, and its problem, which is empty if it is good. Nothing if none
  // comes any more.
  std::optional<std::string> next_report(Clock::time_point deadline) {
    for (;;) {
      std::string_view rest = read_;
      if (const auto frame = preflight::take_frame(rest)) {
        std::string report(*frame);
        read_.erase(0, read_.size() - rest.size());
        return report;
      }
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
      // The end of the pipe is not the end of the trial, nor the other way round: a library may close descriptors
      // and hang, or leave a process behind that keeps the pipe open.
      pollfd waiting[] = {{from_.get(), POLLIN, 0}, {parent_.ended().get(), POLLIN, 0}};
      const int ready = left > 0 ? poll(waiting, 2, static_cast<int>(left)) : 0;
      if (ready < 0 && errno == EINTR) continue;
      if (ready == 0) timed_out_ = true;
      if (ready <= 0 || waiting[0].revents == 0) return std::nullopt;
      read_some();
    }
  }

  // Why no report comes any more.
  std::string cause(std::uint64_t timeout_ms) {
    if (timed_out_) return fmt::format("did not finish within {} ms", timeout_ms);
    const auto status = parent_.wait(std::chrono::milliseconds(timeout_ms));
    if (!status) return "has lost the process that it was tried in";
    if (WIFSIGNALED(*status)) {
      const int number = WTERMSIG(*status);
      return fmt::format("crashed with SIG{} ({})", sigabbrev_np(number), sigdescr_np(number));
    }
    if (WEXITSTATUS(*status) == preflight::kReportFailed) return "closed file descriptors that are not its own";
    return fmt::format("ended the process with exit code {}", WEXITSTATUS(*status));
  }
  bool timed_out() const { return timed_out_; }

 private:
  // Takes what the pipe holds; closes it at its end.
  void read_some() {
    char buffer[4096];
    const ssize_t count = read(from_.get(), buffer, sizeof buffer);
    if (count > 0) {
      read_.append(buffer, static_cast<std::size_t>(count));
    } else if (count == 0 || errno != EINTR) {
      from_ = Descriptor();
    }
  }

  TrialParent& parent_;
  Descriptor from_;  // the pipe of reports
  std::string read_;
  bool timed_out_ = false;
};

}  // namespace

Preflight::Preflight(std::string executable, std::uint64_t timeout_ms, std::unique_ptr<TrialParent> parent)
    : executable_(std::move(executable)), timeout_ms_(timeout_ms), parent_(std::move(parent)) {}

Preflight::~Preflight() = default;

Result<Descriptor> Preflight::begin(const Descriptor& request) {
  if (parent_) {
    auto reports = parent_->begin(request);
    if (reports) return reports;
  }
  parent_.reset();
  auto started = TrialParent::start(executable_);
  if (!started) return started.failure();
  parent_ = std::move(*started);
  return parent_->begin(request);
}

std::vector<Tried> Preflight::run(const std::vector<PreflightFile>& files) {
  std::vector<Tried> results;
  while (results.size() < files.size()) {
    const auto request = make_request(files, results.size());
    auto reports = request ? begin(*request) : Result<Descriptor>(request.failure());
    if (!reports) {
      results.resize(files.size(), Tried{reports.failure(), {}});
      break;
    }
    Trial trial(*parent_, std::move(*reports));
    while (results.size() < files.size()) {
      const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms_);
      const auto info = trial.next_report(deadline);
      const auto problem = info ? trial.next_report(deadline) : std::nullopt;
      if (!problem) {
        const Error failure = error("in trial loading it {}", trial.cause(timeout_ms_));
        results.push_back({failure, info.value_or(""), place_of_end(*request, files[results.size()], executable_)});
        break;
      }
      results.push_back({problem->empty() ? Result<void>() : Result<void>(Error{*problem}), *info});
    }
    if (trial.timed_out()) parent_.reset();
  }
  if (!std::exchange(ran_before_, true)) parent_.reset();
  return results;
}

}  // namespace collet::plugin
