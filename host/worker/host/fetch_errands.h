// What a worker's plugin fetches over HTTP: its exchanges, made at the host table for it. The worker is not trusted: the host table
// decides for which call it speaks and where it may go, and what waits for it has a bound.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "collet/ext/draft/fetch.h"
#include "worker/host/errands.h"
#include "worker/talk/frame.h"

namespace collet::worker {

class FetchErrands {
 public:
  using Need = Errands::Need;
  explicit FetchErrands(Errands::Send send) : send_(std::move(send)) {}

  // These three as those of Errands.
  void attach(const collet_host& host);
  void begin(std::uint32_t incarnation);
  std::string take(const FrameHead& head, std::string_view body);

 private:
  struct Errand;  // what the callbacks are given

  // Of that process; nothing if it is gone by now.
  std::string make(std::uint32_t incarnation, const FrameHead& head, std::string_view body);
  std::string fetch(std::uint32_t incarnation, std::uint64_t id, std::string_view body);
  std::string begin_fetch(std::uint32_t incarnation, std::uint64_t id, const collet_fetch_params& params);
  std::string note_taken(std::uint64_t id, std::string_view body);
  void cancel(std::uint64_t id);
  collet_exchange find(std::uint64_t id);
  void say(Errand& errand, std::string_view frame);
  void say_end(std::uint32_t incarnation, std::uint64_t id, std::uint32_t how, std::uint32_t sent, std::string_view message) const;
  void refuse(std::uint32_t incarnation, std::uint64_t id, std::int32_t status) const;

  static void on_head(void* errand, const collet_fetch_head* head);
  static void on_body(void* errand, const void* data, std::size_t size);
  static void on_end(void* errand, const collet_fetch_end* end);

  const Errands::Send send_;
  // Set by attach(), before anything is made.
  const collet_host* host_ = nullptr;
  const collet_fetch* fetch_ = nullptr;

  std::mutex mutex_;  // guards all below
  bool attached_ = false;
  std::uint32_t incarnation_ = 0;
  struct Waiting {
    std::uint32_t incarnation;
    FrameHead head;
    std::string body;
  };
  std::deque<Waiting> waiting_;  // until there is a host table
  std::size_t waiting_bytes_ = 0;
  std::map<std::uint64_t, collet_exchange> exchanges_;  // by the worker's number
};

}  // namespace collet::worker
