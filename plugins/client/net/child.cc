#include "client/net/child.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include <linux/close_range.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <new>
#include <optional>
#include <system_error>

#include "client/net/keeper.h"

namespace collet::client {
namespace {

constexpr std::uint64_t kLastWordsMs = 1'000;  // a keeper ends all others first

std::vector<std::string> environment_of(const Command& command) {
  std::vector<std::string> all;
  const auto is_set = [&](std::string_view name) {
    return std::any_of(command.environment.begin(), command.environment.end(),
                       [&](const auto& variable) { return variable.first == name; });
  };
  for (const std::string& name : command.inherited) {
    if (const char* value = std::getenv(name.c_str()); value && !is_set(name)) all.push_back(name + '=' + value);
  }
  for (const auto& [name, value] : command.environment) all.push_back(name + '=' + value);
  return all;
}

std::string cannot_start(const std::string& program, const std::string& folder, int failed) {
  std::error_code ignored;
  const bool no_folder = !folder.empty() && !std::filesystem::is_directory(folder, ignored);
  return "cannot start " + program + ": " + (no_folder ? "its cwd " + folder + " is no directory" : uv_strerror(failed));
}

// The process whose thread is about to fork in order to start a child, or 0; and whether the child is a keeper.
thread_local pid_t t_parent = 0;
thread_local bool t_kept = false;

// What other code of this process has opened without O_CLOEXEC is closed, too. In the child alone, whose table of
// descriptors is a copy.
void keep_descriptors() {
  constexpr unsigned kFirst = STDERR_FILENO + 1;
  if (close_range(kFirst, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
  rlimit open_files;  // before Linux 5.11
  if (getrlimit(RLIMIT_NOFILE, &open_files) != 0) return;
  for (auto fd = static_cast<int>(kFirst); static_cast<rlim_t>(fd) < open_files.rlim_cur; ++fd) {
    fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
}

// The child ends with the thread that forks, which is the client's own and stays until its children have ended: also
// if the host is killed. A keeper sees that for itself, unless it has been stopped.
void die_with(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, t_kept ? SIGCONT : SIGKILL);
  if (getppid() != parent) _exit(1);  // it has ended before
}

// Between fork() and exec(), where libuv has nothing to call.
void prepare_child() {
  if (t_parent == 0) return;
  die_with(t_parent);
  keep_descriptors();
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

std::vector<std::string> inherited_by_default() {
  return {"HOME",
          "LOGNAME",
          "USER",
          "PATH",
          "SHELL",
          "TERM",
          "LANG",
          "LC_ALL",
          "LC_CTYPE",
          "TZ",
          "TMPDIR",
          "HTTP_PROXY",
          "http_proxy",
          "HTTPS_PROXY",
          "https_proxy",
          "ALL_PROXY",
          "all_proxy",
          "NO_PROXY",
          "no_proxy",
          "SSL_CERT_FILE",
          "SSL_CERT_DIR",
          "CURL_CA_BUNDLE",
          "NODE_EXTRA_CA_CERTS"};
}

// Kept alive by Children until libuv has closed all of its handles.
class Child::Process : public std::enable_shared_from_this<Child::Process> {
 public:
  Process(Children& children, const Command& command, ChildListener& listener)
      : children_(children),
        program_(command.program),
        folder_(command.folder),
        listener_(&listener),
        start_limit_(std::make_unique<Timer>(children.loop_)),
        patience_(std::make_unique<Timer>(children.loop_)) {
    for (uv_pipe_t* pipe : {&in_, &out_, &err_}) {
      uv_pipe_init(children.loop_.uv(), pipe, 0);
      pipe->data = this;
      ++open_handles_;
    }
    process_.data = this;
  }

  // An error of libuv's, or 0.
  int spawn(const Command& command, const std::vector<std::string>& keeper);
  std::uint64_t write(std::string line);
  const std::shared_ptr<ChildInput>& input() const { return input_; }
  void end();
  void hurry(std::uint64_t exit_ms);
  // After a failed spawn().
  void abandon() {
    listener_ = nullptr;
    exited_ = ending_ = true;
    close_all();
  }

 private:
  int spawn_process(const Command& command, const std::vector<std::string>& keeper);
  int spawn_alone(const uv_process_options_t& options);
  int spawn_kept(uv_process_options_t& options, const std::vector<std::string>& variables);
  void hear_keeper();
  void fail_to_start(int failed);
  struct Write {
    uv_write_t request;
    Process* process;
    std::string bytes;
    std::uint64_t begin;  // of all that was queued
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
  void read_out(std::string_view bytes);
  void on_out(std::string_view bytes);
  void on_out_ended();
  void on_err(std::string_view bytes);
  void on_err_ended();
  void on_exit(std::int64_t status, int signal);
  void open_input();
  void close_input();
  void queue(std::string bytes);
  void start_write(std::string bytes);
  void on_written(const Write& write, int status);
  std::uint64_t taken() const;
  void await_last_words();
  void tell_ended(std::string reason);
  void step();
  void end_by_force(unsigned steps_before);
  void close_all();
  void close(uv_handle_t* handle);

  Children& children_;
  const std::string program_, folder_;
  ChildListener* listener_;  // null once it must not be called
  uv_process_t process_{};
  std::unique_ptr<Keeper> keeper_;  // null: the process is the command
  uv_poll_t keeper_speaks_{};       // with a keeper
  std::unique_ptr<Timer> start_limit_;
  bool begun_ = false;  // it is known whether the command runs
  uv_pipe_t in_{}, out_{}, err_{};
  std::shared_ptr<ChildInput> input_;  // of in_, shared with who sends; null until it was started
  unsigned open_handles_ = 0;
  std::array<char, 64u << 10> buffer_;
  Lines out_lines_, err_lines_;
  std::size_t unwritten_ = 0;
  std::uint64_t queued_ = 0;
  std::optional<std::uint64_t> broken_at_;  // where the first line begins that could not be written
  std::unique_ptr<Timer> patience_;
  std::uint64_t exit_ms_ = limits::kExitMs;
  unsigned next_step_ = 0;  // of those that end it
  std::string exit_reason_;  // empty until it has exited
  bool out_ended_ = false;
  bool err_ended_ = false;
  bool spawned_ = false;
  bool exited_ = false;
  bool ending_ = false;
  bool closed_ = false;
};

int Child::Process::spawn(const Command& command, const std::vector<std::string>& keeper) {
  if (const int failed = spawn_process(command, keeper)) return failed;
  open_input();
  return 0;
}

int Child::Process::spawn_process(const Command& command, const std::vector<std::string>& keeper) {
  std::vector<std::string> words = keeper;
  words.push_back(command.program);
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  std::vector<std::string> variables = environment_of(command);
  std::vector<char*> argv = pointers_to(words), envp = pointers_to(variables);
  uv_stdio_container_t streams[Keeper::kVariables + 1] = {};
  const auto pipe_flags = [](int more) { return static_cast<uv_stdio_flags>(UV_CREATE_PIPE | more); };
  streams[0] = {.flags = pipe_flags(UV_READABLE_PIPE), .data = {.stream = reinterpret_cast<uv_stream_t*>(&in_)}};
  streams[1] = {.flags = pipe_flags(UV_WRITABLE_PIPE), .data = {.stream = reinterpret_cast<uv_stream_t*>(&out_)}};
  streams[2] = {.flags = pipe_flags(UV_WRITABLE_PIPE), .data = {.stream = reinterpret_cast<uv_stream_t*>(&err_)}};
  uv_process_options_t options = {};
  options.file = words.front().c_str();
  options.args = argv.data();
  options.env = envp.data();
  options.cwd = command.folder.empty() ? nullptr : command.folder.c_str();
  options.flags = UV_PROCESS_DETACHED;
  options.stdio_count = STDERR_FILENO + 1;
  options.stdio = streams;
  options.exit_cb = [](uv_process_t* process, std::int64_t status, int signal) {
    static_cast<Process*>(process->data)->on_exit(status, signal);
  };
  if (const int failed = keeper.empty() ? spawn_alone(options) : spawn_kept(options, variables)) return failed;
  if (!keeper_) start_limit_->start(0, [this] { listener_->on_started(); });
  uv_read_start(reinterpret_cast<uv_stream_t*>(&out_), allocate,
                [](uv_stream_t* s, ssize_t size, const uv_buf_t* b) {
                  auto& self = *static_cast<Process*>(s->data);
                  if (size > 0) return self.read_out({b->base, static_cast<std::size_t>(size)});
                  if (size < 0) uv_read_stop(s), self.on_out_ended();
                });
  uv_read_start(reinterpret_cast<uv_stream_t*>(&err_), allocate,
                [](uv_stream_t* s, ssize_t size, const uv_buf_t* b) {
                  auto& self = *static_cast<Process*>(s->data);
                  if (size > 0) return self.on_err({b->base, static_cast<std::size_t>(size)});
                  if (size < 0) uv_read_stop(s), self.on_err_ended();
                });
  return 0;
}

int Child::Process::spawn_alone(const uv_process_options_t& options) {
  static const int failed = pthread_atfork(nullptr, nullptr, prepare_child);
  if (failed) return UV_ENOMEM;
  t_parent = getpid();
  t_kept = keeper_ != nullptr;
  const int outcome = uv_spawn(children_.loop_.uv(), &process_, &options);
  t_parent = 0;
  spawned_ = true;  // libuv has the handle, even if it failed
  ++open_handles_;
  return outcome;
}

int Child::Process::spawn_kept(uv_process_options_t& options, const std::vector<std::string>& variables) {
  keeper_ = Keeper::prepare(variables);
  if (!keeper_) return uv_translate_sys_error(errno);
  if (const int failed = uv_poll_init(children_.loop_.uv(), &keeper_speaks_, keeper_->end_of_ours())) return failed;
  keeper_speaks_.data = this;
  ++open_handles_;
  options.stdio[Keeper::kSocket] = {.flags = UV_INHERIT_FD, .data = {.fd = keeper_->its_end()}};
  options.stdio[Keeper::kVariables] = {.flags = UV_INHERIT_FD, .data = {.fd = keeper_->variables()}};
  options.stdio_count = Keeper::kVariables + 1;
  options.env = nullptr;  // ours, with which its libraries are found
  if (const int failed = spawn_alone(options)) return failed;
  keeper_->started();
  start_limit_->start(limits::kKeeperStartMs, [this] {
    hear_keeper();  // the loop may have been busy
    if (!begun_) fail_to_start(UV_ETIMEDOUT);
  });
  return uv_poll_start(&keeper_speaks_, UV_READABLE, [](uv_poll_t* poll, int, int) {
    static_cast<Process*>(poll->data)->hear_keeper();
  });
}

void Child::Process::hear_keeper() {
  if (begun_) return;
  const std::optional<int> failed = keeper_->begun();
  if (!failed) return;
  begun_ = true;
  uv_poll_stop(&keeper_speaks_);
  start_limit_->stop();
  if (ending_) return;
  *failed ? fail_to_start(uv_translate_sys_error(*failed)) : listener_->on_started();
}

void Child::Process::fail_to_start(int failed) {
  broken_at_ = 0;  // nobody has taken anything
  if (!exited_) kill(process_.pid, SIGKILL);
  tell_ended(cannot_start(program_, folder_, failed));
}

std::uint64_t Child::Process::write(std::string line) {
  if (closed_ || ending_) return queued_;
  line += '\n';
  if (unwritten_ + line.size() > limits::kWriteBufferBytesMax) {
    patience_->start(0, [this] { tell_ended("it does not read its stdin"); });
    return queued_ + line.size();
  }
  queue(std::move(line));
  return queued_;
}

// Behind what waits.
void Child::Process::queue(std::string bytes) {
  if (uv_is_closing(reinterpret_cast<uv_handle_t*>(&in_))) return;
  input_->hold([&](std::string rest) {
    if (!rest.empty()) start_write(std::move(rest));
    if (!bytes.empty()) start_write(std::move(bytes));
    return uv_stream_get_write_queue_size(reinterpret_cast<const uv_stream_t*>(&in_)) > 0;
  });
}

void Child::Process::start_write(std::string bytes) {
  std::unique_ptr<Write> made(new Write{uv_write_t{}, this, std::move(bytes), queued_});
  Write* const write = made.release();
  unwritten_ += write->bytes.size();
  queued_ += write->bytes.size();
  write->request.data = write;
  const uv_buf_t buffer = uv_buf_init(write->bytes.data(), static_cast<unsigned>(write->bytes.size()));
  const auto written = [](uv_write_t* request, int status) {
    const std::unique_ptr<Write> done(static_cast<Write*>(request->data));
    done->process->on_written(*done, status);
    done->process->queue({});  // what others send need not wait any more
  };
  const int failed = uv_write(&write->request, reinterpret_cast<uv_stream_t*>(&in_), &buffer, 1, written);
  if (!failed) return;
  on_written(*write, failed);
  delete write;
}

void Child::Process::open_input() {
  uv_os_fd_t socket = -1;
  uv_fileno(reinterpret_cast<const uv_handle_t*>(&in_), &socket);
  input_ = std::make_shared<ChildInput>(socket, [&loop = children_.loop_, process = weak_from_this()] {
    loop.post([process] {
      if (const auto self = process.lock()) self->queue({});
    });
  });
}

void Child::Process::close_input() {
  if (input_) input_->close();
  close(reinterpret_cast<uv_handle_t*>(&in_));
}

// A child that has closed its stdin can be asked nothing more. How it has exited, which comes in a moment if it
// comes at all, says why.
void Child::Process::on_written(const Write& write, int status) {
  unwritten_ -= write.bytes.size();
  if (status == 0 || broken_at_) return;
  broken_at_ = write.begin;
  if (!ending_ && !exited_ && !out_ended_) {
    patience_->start(kLastWordsMs, [this] { tell_ended("it has closed its stdin"); });
  }
}

// A line that was not written whole is no message.
std::uint64_t Child::Process::taken() const {
  return broken_at_.value_or(queued_ - uv_stream_get_write_queue_size(reinterpret_cast<const uv_stream_t*>(&in_)));
}

void Child::Process::read_out(std::string_view bytes) {
  try {
    on_out(bytes);
  } catch (const std::bad_alloc&) {
    tell_ended("there is no memory for what it says");
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

// A carriage return ends a line as well: bars of progress have no other end. Of a line that is very long each piece is
// told.
void Child::Process::on_err(std::string_view bytes) {
  std::string& partial = err_lines_.partial;
  while (listener_ && !bytes.empty()) {
    const std::size_t room = limits::kErrorLineBytesMax - partial.size();
    const std::size_t end = bytes.substr(0, room).find_first_of("\r\n");
    const bool whole = end != std::string_view::npos;
    const std::string_view piece = bytes.substr(0, whole ? end : room);
    partial += piece;
    bytes.remove_prefix(piece.size() + whole);
    if (!whole && partial.size() < limits::kErrorLineBytesMax) return;
    const std::string line = std::exchange(partial, {});
    if (!line.empty()) listener_->on_error_line(line);
  }
}

// How it has exited, which comes in a moment if it comes at all, says more.
void Child::Process::on_out_ended() {
  out_ended_ = true;
  if (ending_) return;
  if (exited_) return await_last_words();
  patience_->start(kLastWordsMs, [this] { tell_ended("it has closed its stdout"); });
}

void Child::Process::on_err_ended() {
  err_ended_ = true;
  if (!err_lines_.partial.empty() && listener_) listener_->on_error_line(std::exchange(err_lines_.partial, {}));
  if (!ending_ && exited_) await_last_words();
}

void Child::Process::on_exit(std::int64_t status, int signal) {
  exited_ = true;
  if (keeper_) hear_keeper();
  if (keeper_ && !keeper_->has_ended_all()) keeper_->kill_command();  // it was the keeper who was killed
  exit_reason_ = signal ? "it was ended by signal " + std::to_string(signal)
                        : "it has ended with exit code " + std::to_string(status);
  if (ending_) return close_all();
  await_last_words();
}

// The rest of its stdout and stderr comes first, unless something that it has left behind keeps them open.
void Child::Process::await_last_words() {
  if (out_ended_ && err_ended_) return tell_ended(exit_reason_);
  patience_->start(kLastWordsMs, [this] { tell_ended(exit_reason_); });
}

void Child::Process::tell_ended(std::string reason) {
  ChildListener* listener = std::exchange(listener_, nullptr);
  const std::uint64_t bytes = taken();
  end();
  if (listener) listener->on_ended(reason, bytes);
}

void Child::Process::end() {
  listener_ = nullptr;
  if (std::exchange(ending_, true)) return;
  start_limit_->stop();
  if (exited_) return close_all();
  close_input();
  patience_->start(exit_ms_, [this] { step(); });
}

void Child::Process::hurry(std::uint64_t exit_ms) {
  exit_ms_ = std::min(exit_ms_, exit_ms);
  if (!ending_) return end();
  if (!exited_) patience_->start(exit_ms_, [this] { step(); });
}

void Child::Process::step() {
  if (!exited_) end_by_force(next_step_++);
  patience_->start(exit_ms_, [this] { step(); });
}

void Child::Process::end_by_force(unsigned steps_before) {
  if (!keeper_) {
    kill(-process_.pid, steps_before == 0 ? SIGTERM : SIGKILL);
  } else if (steps_before == 0) {
    keeper_->terminate();
  } else {
    keeper_->end();
    keeper_->kill_command();
    kill(process_.pid, begun_ ? SIGCONT : SIGKILL);  // it ends by itself, unless it has not come so far
  }
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
  if (spawned_ && exited_ && !keeper_ && process_.pid > 0) kill(-process_.pid, SIGKILL);  // what it has left behind
  start_limit_.reset();
  patience_.reset();
  if (spawned_) close(reinterpret_cast<uv_handle_t*>(&process_));
  if (keeper_speaks_.data) close(reinterpret_cast<uv_handle_t*>(&keeper_speaks_));
  close_input();
  for (uv_pipe_t* pipe : {&out_, &err_}) close(reinterpret_cast<uv_handle_t*>(pipe));
}

std::uint64_t Child::write(std::string line) { return process_->write(std::move(line)); }
std::shared_ptr<ChildInput> Child::input() const { return process_->input(); }
void Child::end() { process_->end(); }

Result<std::unique_ptr<Child>> Children::start(const Command& command, ChildListener& listener) {
  auto process = std::make_shared<Child::Process>(*this, command, listener);
  processes_.push_back(process);
  if (const int failed = process->spawn(command, keeper_)) {
    process->abandon();
    return Error{cannot_start(command.program, command.folder, failed)};
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
