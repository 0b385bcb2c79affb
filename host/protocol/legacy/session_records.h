// Sessions as a store has them: what of a session outlives its process, or serves another process that its client comes to.
//
// A record has who has opened the session, what `initialize` said, the level of its log and what it watches. Its streams, open
// questions and running requests are not part of it: they are where they began.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/callback.h"
#include "base/result.h"
#include "protocol/legacy/session.h"
#include "store/records.h"

namespace collet::protocol {

// Any thread. The store has ended before the loops are destroyed.
class SessionRecords {
 public:
  // A session that nobody uses for `idle_timeout_ms` is forgotten.
  SessionRecords(store::Records& records, std::uint64_t idle_timeout_ms)
      : records_(records), idle_timeout_ms_(idle_timeout_ms) {}

  // Calls back once the session is there, or cannot be: then it lives in this process alone.
  void keep(const Session& session, Callback<void()> done = {});
  void remove(const std::string& id);
  // Calls back, on any thread, with what is there; nothing: there is no such session. An error: the store cannot tell.
  void find(const std::string& id, Callback<void(Result<std::optional<Session::Record>>)> then);

  // How long after it was kept a session that is used is to be kept again, lest its record ends.
  std::uint64_t renewal_ms() const { return idle_timeout_ms_ / 4; }

 private:
  store::Records& records_;
  const std::uint64_t idle_timeout_ms_;
};

// The value of a record, and what it says; nothing: it is none, or one of a version that we do not speak.
std::string session_text(const Session::Record& record);
std::optional<Session::Record> read_session(std::string_view text);

}  // namespace collet::protocol
