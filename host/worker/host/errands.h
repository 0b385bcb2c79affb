// What a worker has the host do, at the host table, for its plugin. What comes before there is a table waits for it; what a process
// has begun that is gone ends, and is told to nobody. The worker is not trusted: the host table decides for which call it speaks and
// what it reaches, and what waits for it has a bound.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "base/callback.h"
#include "collet/plugin.h"
#include "worker/talk/frame.h"

namespace collet::worker {

class Errands {
 public:
  // Any thread: sends frames to the worker, if it is still that process. False: what it has not taken leaves no room for them.
  // What must be sent has room, or ends the process.
  enum class Need : std::uint8_t { may_be_lost, must_be_sent };
  using Send = std::function<bool(std::uint32_t incarnation, std::string_view frames, Need need)>;
  // Of so many frames there is need before there is a table.
  Errands(Send send, std::size_t early_max) : send_(std::move(send)), early_max_(early_max) {}
  virtual ~Errands() = default;
  Errands(const Errands&) = delete;
  Errands& operator=(const Errands&) = delete;

  // From now on they are made here; those that have come before are. The table is borrowed, and tells the end of each
  // before its generation is gone.
  void attach(const collet_host& host);
  // Another process speaks from now on; 0: none does.
  void begin(std::uint32_t incarnation);

  // The thread that reads the frames. Returns why this one cannot come from a sound worker, or an empty text.
  std::string take(const FrameHead& head, std::string_view body);

 protected:
  template <class Table>
  static const Table* find(const collet_host& host, std::string_view id) {
    return static_cast<const Table*>(host.get_extension(&host, id.data(), id.size()));
  }
  const collet_host* host() const { return host_; }
  bool send(std::uint32_t incarnation, std::string_view frames, Need need) const { return send_(incarnation, frames, need); }

  // It guards what the worker has under way.
  std::unique_lock<std::mutex> lock() const { return std::unique_lock(mutex_); }
  // None if that process does not speak any more.
  std::unique_lock<std::mutex> lock_for(std::uint32_t incarnation) const;
  // With the lock.
  std::uint32_t incarnation() const { return incarnation_; }

 private:
  // Finds its tables, before anything is made. False: they are not offered.
  virtual bool find_tables(const collet_host& host) = 0;
  // At the table; as take().
  virtual std::string make(std::uint32_t incarnation, const FrameHead& head, std::string_view body) = 0;
  // With the lock: a process is gone, and with it all that it has under way. What is returned ends that, without the lock.
  virtual Callback<void()> forget() = 0;

  std::string make_if_offered(std::uint32_t incarnation, const FrameHead& head, std::string_view body);

  const Send send_;
  const std::size_t early_max_;
  // Set by attach(), before anything is made.
  const collet_host* host_ = nullptr;
  bool offered_ = false;

  mutable std::mutex mutex_;  // guards all below
  bool attached_ = false;
  std::uint32_t incarnation_ = 0;
  struct Waiting {
    std::uint32_t incarnation;
    FrameHead head;
    std::string body;
  };
  std::deque<Waiting> waiting_;  // until there is a host table
  std::size_t waiting_bytes_ = 0;
};

}  // namespace collet::worker
