#include "client/child.h"

#include <signal.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

namespace collet::client {
namespace {

constexpr std::uint64_t kLastWordsMs = 100;

// What a child needs to find its way; everything else, such as our secrets, stays with us.
constexpr std::array kHandedOn = {
    "HOME",        "LOGNAME",    "USER",          "PATH",         "SHELL",
    "TERM",        "LANG",       "LC_ALL",        "LC_CTYPE",     "TZ",
    "TMPDIR",      "HTTP_PROXY", "NO_PROXY",      "HTTPS_PROXY",  "http_proxy",
    "https_proxy", "no_proxy",   "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"};

std::vector<std::string> environment_of(const Command& command) {
  std::vector<std::string> all;
  const auto is_set = [&](std::string_view name) {
    return std::any_of(command.environment.begin(), command.environment.end(),
                       [&](const auto& variable) { return variable.first == name; });
  };
  for (const char* name : kHandedOn) {
    if (const char* value = std::getenv(name); value && !is_set(name))
      all.push_back(std::string(name) + '=' + value);
  }
  for (const auto& [name, value] : command.environment) all.push_back(name + '=' + value);
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

// Kept alive by Children until libuv has closed all of its handles.
class Child::Process {
 public:
  Process(Children& children, ChildListener& listener)
      : children_(children), listener_(&listener), patience_(std::make_unique<Timer>(children.loop_)) {
    for (uv_pipe_t* pipe : {&in_, &out_, &err_}) {
      uv_pipe_init(children.loop_.uv(), pipe, 0);
      pipe->data = this;
      ++open_handles_;
    }
    process_.data = this;
  }

  int spawn(const Command& command);
  void write(std::string line);
  void end();
  void hurry(std::uint64_t exit_ms);
  // After a failed spawn().
  void abandon() {
    listener_ = nullptr;
    exited_ = true;
    close_all();
  }

 private:
  struct Write {
    uv_write_t request;
    Process* process;
    std::string line;
  };
  // What has come of a stream and is not yet a line.
  struct Lines {
    std::string partial;
    bool cutting = false;  // the line is too long, its rest is dropped
  };

  static void allocate(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
    auto& self = *static_cast<Process*>(handle->data);
    *buffer = uv_buf_init(self.buffer_.data(), static_cast<unsigned>(self.buffer_.size()));
  }
  void on_out(std::string_view bytes);
  void on_out_ended();
  void on_err(std::string_view bytes);
  void on_exit(std::int64_t status, int signal);
  void tell_ended(std::string reason);
  void signal_group(int number) {
    if (!exited_) kill(-process_.pid, number);
  }
  void step();
  void close_all();
  void close(uv_handle_t* handle);

  Children& children_;
  ChildListener* listener_;  // null once it must not be called
  uv_process_t process_{};
  uv_pipe_t in_{}, out_{}, err_{};
  unsigned open_handles_ = 0;
  std::array<char, 64u << 10> buffer_;
  Lines out_lines_, err_lines_;
  std::size_t unwritten_ = 0;
  std::unique_ptr<Timer> patience_;
  std::uint64_t exit_ms_ = limits::kExitMs;
  int next_signal_ = SIGTERM;
  std::string exit_reason_;  // empty until it has exited
  bool out_ended_ = false;
  bool spawned_ = false;
  bool exited_ = false;
  bool ending_ = false;
  bool closed_ = false;
};

int Child::Process::spawn(const Command& command) {
  std::vector<std::string> words{command.program};
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  std::vector<std::string> variables = environment_of(command);
  std::vector<char*> argv = pointers_to(words), envp = pointers_to(variables);
  uv_stdio_container_t streams[3] = {};
  const auto pipe_flags = [](int more) { return static_cast<uv_stdio_flags>(UV_CREATE_PIPE | more); };
  streams[0] = {.flags = pipe_flags(UV_READABLE_PIPE), .data = {.stream = reinterpret_cast<uv_stream_t*>(&in_)}};
  streams[1] = {.flags = pipe_flags(UV_WRITABLE_PIPE), .data = {.stream = reinterpret_cast<uv_stream_t*>(&out_)}};
  streams[2] = {.flags = pipe_flags(UV_WRITABLE_PIPE), .data = {.stream = reinterpret_cast<uv_stream_t*>(&err_)}};
  uv_process_options_t options = {};
  options.file = command.program.c_str();
  options.args = argv.data();
  options.env = envp.data();
  options.cwd = command.folder.empty() ? nullptr : command.folder.c_str();
  options.flags = UV_PROCESS_DETACHED;
  options.stdio_count = 3;
  options.stdio = streams;
  options.exit_cb = [](uv_process_t* process, std::int64_t status, int signal) {
    static_cast<Process*>(process->data)->on_exit(status, signal);
  };
  const int failed = uv_spawn(children_.loop_.uv(), &process_, &options);
  spawned_ = true;  // libuv has the handle, even if it failed
  ++open_handles_;
  if (failed) return failed;
  uv_read_start(reinterpret_cast<uv_stream_t*>(&out_), allocate,
                [](uv_stream_t* s, ssize_t size, const uv_buf_t* b) {
                  auto& self = *static_cast<Process*>(s->data);
                  if (size > 0) return self.on_out({b->base, static_cast<std::size_t>(size)});
                  if (size < 0) uv_read_stop(s), self.on_out_ended();
                });
  uv_read_start(reinterpret_cast<uv_stream_t*>(&err_), allocate,
                [](uv_stream_t* s, ssize_t size, const uv_buf_t* b) {
                  auto& self = *static_cast<Process*>(s->data);
                  if (size > 0) return self.on_err({b->base, static_cast<std::size_t>(size)});
                  if (size < 0) uv_read_stop(s);
                });
  return 0;
}

void Child::Process::write(std::string line) {
  if (closed_ || ending_) return;
  unwritten_ += line.size() + 1;
  if (unwritten_ > limits::kWriteBufferBytesMax) {
    return patience_->start(0, [this] { tell_ended("it does not read its stdin"); });
  }
  auto* write = new Write{{}, this, std::move(line)};
  write->line += '\n';
  write->request.data = write;
  const uv_buf_t bytes = uv_buf_init(write->line.data(), static_cast<unsigned>(write->line.size()));
  // A child that has closed its stdin is heard of by its end, or by calls that are not answered.
  const auto written = [](uv_write_t* request, int) {
    const std::unique_ptr<Write> done(static_cast<Write*>(request->data));
    done->process->unwritten_ -= done->line.size();
  };
  if (uv_write(&write->request, reinterpret_cast<uv_stream_t*>(&in_), &bytes, 1, written) != 0) {
    unwritten_ -= write->line.size();
    delete write;
  }
}

void Child::Process::on_out(std::string_view bytes) {
  while (listener_ && !bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    if (out_lines_.partial.size() + std::min(end, bytes.size()) > limits::kMessageBytesMax) {
      return tell_ended("a line of its stdout has more than " + std::to_string(limits::kMessageBytesMax) +
                        " bytes");
    }
    if (end == std::string_view::npos) {
      out_lines_.partial += bytes;
      return;
    }
    if (out_lines_.partial.empty()) {
      listener_->on_line(bytes.substr(0, end));
    } else {
      out_lines_.partial += bytes.substr(0, end);
      const std::string line = std::exchange(out_lines_.partial, {});
      listener_->on_line(line);
    }
    bytes.remove_prefix(end + 1);
  }
}

void Child::Process::on_err(std::string_view bytes) {
  while (listener_ && !bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    const std::size_t room = limits::kErrorLineBytesMax - err_lines_.partial.size();
    err_lines_.partial += piece.substr(0, room);
    if (end == std::string_view::npos) return;
    const std::string line = std::exchange(err_lines_.partial, {});
    listener_->on_error_line(line);
    bytes.remove_prefix(end + 1);
  }
}

// How it has exited, which comes in a moment if it comes at all, says more.
void Child::Process::on_out_ended() {
  out_ended_ = true;
  if (ending_) return;
  if (exited_) return tell_ended(exit_reason_);
  patience_->start(kLastWordsMs, [this] { tell_ended("it has closed its stdout"); });
}

// The rest of its stdout comes first, unless something that it has left behind keeps it open.
void Child::Process::on_exit(std::int64_t status, int signal) {
  exited_ = true;
  exit_reason_ = signal ? "it was ended by signal " + std::to_string(signal)
                        : "it has ended with exit code " + std::to_string(status);
  if (ending_) return close_all();
  if (out_ended_) return tell_ended(exit_reason_);
  patience_->start(kLastWordsMs, [this] { tell_ended(exit_reason_); });
}

void Child::Process::tell_ended(std::string reason) {
  ChildListener* listener = std::exchange(listener_, nullptr);
  end();
  if (listener) listener->on_ended(reason);
}

void Child::Process::end() {
  listener_ = nullptr;
  if (std::exchange(ending_, true)) return;
  if (exited_) return close_all();
  if (!uv_is_closing(reinterpret_cast<uv_handle_t*>(&in_))) close(reinterpret_cast<uv_handle_t*>(&in_));
  patience_->start(exit_ms_, [this] { step(); });
}

void Child::Process::hurry(std::uint64_t exit_ms) {
  exit_ms_ = std::min(exit_ms_, exit_ms);
  if (!ending_) return end();
  if (!exited_) patience_->start(exit_ms_, [this] { step(); });
}

void Child::Process::step() {
  signal_group(std::exchange(next_signal_, SIGKILL));
  patience_->start(exit_ms_, [this] { step(); });
}

void Child::Process::close(uv_handle_t* handle) {
  if (uv_is_closing(handle)) return;
  uv_close(handle, [](uv_handle_t* closed) {
    auto& self = *static_cast<Process*>(closed->data);
    if (--self.open_handles_ == 0) self.children_.remove(&self);
  });
}

void Child::Process::close_all() {
  if (std::exchange(closed_, true)) return;
  if (spawned_ && exited_ && process_.pid > 0) kill(-process_.pid, SIGKILL);  // what it has left behind
  patience_.reset();
  if (spawned_) close(reinterpret_cast<uv_handle_t*>(&process_));
  for (uv_pipe_t* pipe : {&in_, &out_, &err_}) close(reinterpret_cast<uv_handle_t*>(pipe));
}

void Child::write(std::string line) { process_->write(std::move(line)); }
void Child::end() { process_->end(); }

Result<std::unique_ptr<Child>> Children::start(const Command& command, ChildListener& listener) {
  auto process = std::make_shared<Child::Process>(*this, listener);
  processes_.push_back(process);
  if (const int failed = process->spawn(command)) {
    process->abandon();
    return Failure{"cannot start " + command.program + ": " + uv_strerror(failed)};
  }
  return std::unique_ptr<Child>(new Child(std::move(process)));
}

void Children::end_all(std::uint64_t exit_ms, Task done) {
  when_empty_ = std::move(done);
  for (const auto& process : std::vector(processes_)) process->hurry(exit_ms);
  if (processes_.empty()) std::exchange(when_empty_, nullptr)();
}

void Children::remove(const Child::Process* process) {
  std::erase_if(processes_, [&](const auto& each) { return each.get() == process; });
  if (processes_.empty() && when_empty_) std::exchange(when_empty_, nullptr)();
}

}  // namespace collet::client
