#include "plugin/crash/recorder.h"

#include <dlfcn.h>
#include <link.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>

#include "plugin/crash/place.h"

namespace collet::plugin::crash {
namespace {

constexpr int kFatalSignals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP};

// Set once, before there are other threads that run a plugin's code.
Record* recorded_to = nullptr;
void (*when_written)(const Record&) = nullptr;
pid_t recorded_process = 0;

std::atomic<pid_t> ending_thread{0};
std::atomic<bool> is_written{false};

// Whether the calling thread is to write the record: the first one that ends the process, once. Another one waits until that is
// done.
bool is_first_to_end() {
  if (!recorded_to || getpid() != recorded_process) return false;
  pid_t none = 0;
  const pid_t self = gettid();
  if (ending_thread.compare_exchange_strong(none, self)) return true;
  constexpr timespec kPause{0, 1'000'000};
  while (none != self && !is_written) nanosleep(&kPause, nullptr);
  return false;
}

#if defined(__x86_64__)
std::uintptr_t code_address(const ucontext_t& at) { return static_cast<std::uintptr_t>(at.uc_mcontext.gregs[REG_RIP]); }
// As if the function that was called last had returned at once.
void return_from_call(ucontext_t& at) {
  greg_t& stack = at.uc_mcontext.gregs[REG_RSP];
  at.uc_mcontext.gregs[REG_RIP] = *reinterpret_cast<const greg_t*>(stack);
  stack += static_cast<greg_t>(sizeof(greg_t));
}
#elif defined(__aarch64__)
std::uintptr_t code_address(const ucontext_t& at) { return at.uc_mcontext.pc; }
void return_from_call(ucontext_t& at) { at.uc_mcontext.pc = at.uc_mcontext.regs[30]; }
#elif defined(__riscv)
std::uintptr_t code_address(const ucontext_t& at) { return at.uc_mcontext.__gregs[REG_PC]; }
void return_from_call(ucontext_t& at) { at.uc_mcontext.__gregs[REG_PC] = at.uc_mcontext.__gregs[REG_RA]; }
#endif

// Writes down where calls have come from, from the inside to where the host has entered the plugin.
class Walk {
 public:
  Walk(Record& record, const Place* place) : record_(record), entered_(reinterpret_cast<std::uintptr_t>(place)) {
    record_.frame_count = record_.module_count = record_.cut_off = 0;
  }

  // From `context` on, that of a signal.
  void from(ucontext_t& context) {
    const std::uintptr_t at = code_address(context);
    awaited_ = at;
    if (!has_module(at)) {  // what was called is no code
      add(at, false);
      return_from_call(context);
      awaited_ = code_address(context);
      awaited_returns_ = true;
    }
    _Unwind_Backtrace(take, this);
    if (awaited_ != 0) add(awaited_, awaited_returns_);  // it was not found on the stack
  }
  // From the caller of this library's functions on.
  void from_here() {
    leaves_own_ = true;
    _Unwind_Backtrace(take, this);
  }

 private:
  static bool has_module(std::uintptr_t address) {
    dl_find_object found;
    return _dl_find_object(reinterpret_cast<void*>(address), &found) == 0;
  }

  static _Unwind_Reason_Code take(_Unwind_Context* context, void* walk) { return static_cast<Walk*>(walk)->take(context); }
  _Unwind_Reason_Code take(_Unwind_Context* context) {
    const std::uintptr_t address = _Unwind_GetIP(context);
    bool returns = true;
    if (awaited_ != 0) {  // the handler's own frames come first
      if (address != awaited_) return _URC_NO_REASON;
      awaited_ = 0;
      returns = awaited_returns_;
    } else if (leaves_own_) {
      dl_find_object found;
      if (_dl_find_object(reinterpret_cast<void*>(address), &found) == 0 && !*found.dlfo_link_map->l_name) return _URC_NO_REASON;
      leaves_own_ = false;
    }
    // It lies in the frame that has entered the plugin, which was the one before, and is none of the plugin's.
    if (entered_ != 0 && _Unwind_GetCFA(context) > entered_) {
      if (record_.cut_off) {
        record_.cut_off = 0;
      } else if (record_.frame_count > 1) {
        --record_.frame_count;
      }
      return _URC_NORMAL_STOP;
    }
    if (record_.cut_off) return _URC_NORMAL_STOP;
    if (repeats(address)) return _URC_NO_REASON;
    if (record_.frame_count == Record::kFramesMax) {
      record_.cut_off = 1;
      return _URC_NO_REASON;
    }
    if (address != 0) add(address, returns);
    return _URC_NO_REASON;
  }

  // A function that calls itself until there is no room left is written down once.
  bool repeats(std::uintptr_t address) {
    if (record_.frame_count == 0) return false;
    Record::Frame& last = record_.frames[record_.frame_count - 1];
    if (last.address != address || last.repeats == UINT16_MAX) return false;
    ++last.repeats;
    return true;
  }

  void add(std::uintptr_t address, bool returns) {
    Record::Frame& frame = record_.frames[record_.frame_count++];
    frame = {address, address, Record::kNoModule, static_cast<std::uint16_t>(returns), 0};
    dl_find_object found;
    if (_dl_find_object(reinterpret_cast<void*>(address), &found) != 0) return;
    const link_map& module = *found.dlfo_link_map;
    frame.offset = address - module.l_addr;
    frame.module = number_of(module);
  }

  std::uint32_t number_of(const link_map& module) {
    for (std::uint32_t i = 0; i < record_.module_count; ++i) {
      if (modules_[i] == &module) return i;
    }
    if (record_.module_count == Record::kModulesMax) return Record::kNoModule;
    modules_[record_.module_count] = &module;
    record_.modules[record_.module_count].set(module.l_name);
    return record_.module_count++;
  }

  Record& record_;
  const std::uintptr_t entered_;  // 0: not known
  std::uintptr_t awaited_ = 0;
  bool awaited_returns_ = false;
  bool leaves_own_ = false;
  const link_map* modules_[Record::kModulesMax];
};

// All but the frames. Another process may read it from now on.
void write_place(Record& record, const Place* place) {
  record.process = recorded_process;
  record.thread = gettid();
  record.plugin.set(place ? place->plugin() : std::string_view());
  record.function.set(place ? place->function() : std::string_view());
  record.kind.set(place ? place->kind() : std::string_view());
  record.item.set(place ? place->item() : std::string_view());
  record.call = place ? place->call() : 0;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  record.stage = Record::kPlaced;
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

void finish(Record& record) {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  record.stage = Record::kWhole;
  if (when_written) when_written(record);
  is_written = true;
}

void on_fatal_signal(int number, siginfo_t* info, void* context) {
  if (is_first_to_end()) {
    Record& record = *recorded_to;
    record.signal = number;
    record.code = info->si_code;
    record.address = reinterpret_cast<std::uintptr_t>(info->si_addr);
    record.ender.set("");
    const Place* const place = Place::current();
    write_place(record, place);
    Walk(record, place).from(*static_cast<ucontext_t*>(context));
    finish(record);
  }
  std::signal(number, SIG_DFL);
  raise(number);
}

_Unwind_Reason_Code ignore(_Unwind_Context*, void*) { return _URC_NO_REASON; }

}  // namespace

void record_end(Record& record, void (*written)(const Record&)) {
  record.stage = Record::kNothing;
  recorded_to = &record;
  when_written = written;
  recorded_process = getpid();
  _Unwind_Backtrace(ignore, nullptr);  // binds what it needs
  struct sigaction action {};
  action.sa_sigaction = on_fatal_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  for (const int number : kFatalSignals) sigaction(number, &action, nullptr);
}

void note_exit(const char* ender, int code) {
  const Place* const place = Place::current();
  if (!place || place->plugin().empty() || !is_first_to_end()) return;
  Record& record = *recorded_to;
  record.signal = 0;
  record.code = code;
  record.address = 0;
  record.ender.set(ender);
  write_place(record, place);
  Walk(record, place).from_here();
  finish(record);
}

}  // namespace collet::plugin::crash
