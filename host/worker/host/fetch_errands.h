// What a worker's plugin fetches over HTTP: its exchanges, made at the host table for it. The worker is not trusted: the host table
// decides for which call it speaks and where it may go, and what waits for it has a bound.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "collet/ext/draft/fetch.h"
#include "worker/host/errands.h"

namespace collet::worker {

class FetchErrands final : public Errands {
 public:
  explicit FetchErrands(Send send) : Errands(std::move(send), 2 * limits::kFetchesMax) {}  // each may have been begun and cancelled

 private:
  struct Errand;  // what the callbacks are given

  bool find_tables(const collet_host& host) override;
  std::string make(std::uint32_t incarnation, const FrameHead& head, std::string_view body) override;
  Callback<void()> forget() override;
  // Of that process; nothing if it is gone by now.
  std::string fetch(std::uint32_t incarnation, std::uint64_t id, std::string_view body);
  std::string begin_fetch(std::uint32_t incarnation, std::uint64_t id, const collet_fetch_params& params);
  std::string note_taken(std::uint64_t id, std::string_view body);
  void cancel(std::uint64_t id);
  collet_exchange exchange_of(std::uint64_t id);
  void say(Errand& errand, std::string_view frame);
  void say_end(std::uint32_t incarnation, std::uint64_t id, std::uint32_t how, std::uint32_t sent, std::string_view message) const;
  void refuse(std::uint32_t incarnation, std::uint64_t id, std::int32_t status) const;

  static void on_head(void* errand, const collet_fetch_head* head);
  static void on_body(void* errand, const void* data, std::size_t size);
  static void on_end(void* errand, const collet_fetch_end* end);

  const collet_fetch* fetch_ = nullptr;
  std::map<std::uint64_t, collet_exchange> exchanges_;  // by the worker's number; with the lock
};

}  // namespace collet::worker
