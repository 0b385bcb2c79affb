// What the host tells a worker process, from any of its threads, and what that process owes for it: the ends of calls, and
// answers. There is one process at a time, or none.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/descriptor.h"
#include "base/result.h"
#include "collet/plugin.h"
#include "loop/loop.h"
#include "plugin/run/thread.h"
#include "worker/host/denials.h"
#include "worker/host/errands.h"
#include "worker/host/questions.h"
#include "worker/host/send_queue.h"
#include "worker/talk/frame.h"

namespace collet::worker {

// Tells the time; any thread. A test has one that stands still until it is moved.
using SteadyClock = std::function<plugin::Clock::time_point()>;

// Any thread, where nothing else is said.
class ProcessLink final : public loop::TurnEnd {
 public:
  // So long after its deadline a call that has not ended costs the process.
  explicit ProcessLink(std::uint64_t hang_ms, SteadyClock now = plugin::Clock::now) : hang_ms_(hang_ms), now_(std::move(now)) {}

  // Once, before any process begins.
  Result<void> open();
  // Before any call. The host is borrowed.
  void attach(const collet_host& host);

  // Tells the process `incarnation` its call. False if it has not been told: `reason` says why, or is empty if that process is
  // not up. A call that has ended meanwhile is told to nobody, and nothing is wrong with that. `at_turn_end`: it will be called soon;
  // until then nothing needs to be sent.
  enum class Send : std::uint8_t { now, at_turn_end };
  bool give_call(collet_call call, std::uint64_t incarnation, std::string_view frame, Send when, std::string& reason);
  void at_turn_end() override { flush(); }
  void cancel(collet_call call, std::uint32_t reason);
  void taken(collet_call call, std::size_t bytes);
  // A frame about a call, which must be sent if the process is up.
  void tell(std::string_view frame);
  void quiesce(std::uint32_t deadline_ms);
  // The next processes are told, too.
  void watch(std::string_view uri, bool watched);
  // Waits for the answer, as Questions::wait() does. Fails at once if no process is up.
  Questions::Answer ask(FrameType type, std::string_view text = {}, std::optional<std::uint64_t> at_most_ms = {});
  // As Errands::Send. To a process that is gone all is sent.
  bool send_to(std::uint32_t incarnation, std::string_view frames, Errands::Need need);

  // The process that runs is to be killed for this reason, unless there was another before.
  void condemn(std::string reason);
  // As Denials::note(), on behalf of the process that runs.
  bool note_denial(const std::string& denial);

  // No call and no question is taken any more. The process is told to end if it is up, else it is to be killed.
  void ask_to_end();
  // Likewise; it is to be killed in any case. A process that is just being started begins, and is killed then.
  void kill(std::string_view why);

  // The thread that looks after the processes.

  // A process begins, and is told this first. The socket is borrowed until end().
  void begin(int socket, std::uint32_t incarnation, std::string_view frame);
  // It takes calls from now on, and is told what the one before was told to watch.
  void come_up();
  // It is gone, and with it all that it owed.
  void end();

  // To the process that has begun. False: it has no room for them.
  bool send(std::string_view frames);
  std::string take_answer(std::uint64_t question, std::string_view body) { return questions_.take(question, body); }
  // As Denials::call_ended().
  std::string call_ended(collet_call call);

  // Readable when whoever waits is to look at what follows, until woken().
  int wake_descriptor() const { return wake_.get(); }
  void woken() const;
  struct Wanted {
    bool flush = false;  // when the socket takes more
    plugin::Clock::time_point until;  // when reason_to_kill() is to be looked at; or max()
  };
  Wanted wanted() const;
  void flush();
  // Why the process has to be killed now, or empty.
  std::string reason_to_kill();

 private:
  // With mutex_.
  bool put(std::string_view frames, Send when = Send::now);
  void condemn_for_not_taking();
  bool has_ended(collet_call call) const { return host_->is_cancelled(host_, call) == COLLET_E_STALE; }

  void wake() const;

  const std::uint64_t hang_ms_;
  const SteadyClock now_;
  Descriptor wake_;
  Questions questions_;

  mutable std::mutex mutex_;  // guards all below
  const collet_host* host_ = nullptr;
  std::uint32_t incarnation_ = 0;  // of the last process that has begun
  bool up_ = false;
  SendQueue queue_;
  std::string kill_reason_;  // somebody wants the process to be killed
  Denials denials_;
  std::deque<std::pair<plugin::Clock::time_point, collet_call>> overdue_;  // when it hangs
  std::set<std::string, std::less<>> watched_;                             // URIs
};

}  // namespace collet::worker
