// Sessions as a store has them: what of a session outlives its process.
//
// A record has who has opened the session, what `initialize` said, the level of its log and what it watches. Its streams, open
// questions and running requests are not part of it: they are where they began. It ends when nobody has used the session for the idle
// timeout, or up to a quarter of that before.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/callback.h"
#include "base/result.h"
#include "protocol/legacy/session.h"
#include "protocol/store_trouble.h"
#include "store/records.h"

namespace collet::protocol {

// Any thread. The store ends before this is destroyed.
class SessionRecords {
 public:
  SessionRecords(store::Records& records, std::uint64_t idle_timeout_ms)
      : records_(records), idle_timeout_ms_(idle_timeout_ms) {}

  // Puts what the session is now, if it is to be kept, and calls back once it is there, or cannot be: then it lives in this process
  // alone. Of one that changes faster than it can be put what is last is put.
  void keep(SessionPtr session, Callback<void()> done = {});
  // It has ended.
  void remove(Session& session);
  // Calls back, on any thread, with what is there; nothing: there is no such session. An error: the store cannot tell.
  void find(const std::string& id, Callback<void(Result<std::optional<Session::Record>>)> then);

  // How long after it was kept a session that is used is to be kept again, lest its record ends.
  std::uint64_t renewal_ms() const { return idle_timeout_ms_ / 4; }

 private:
  void put(SessionPtr session, Callback<void()> done);

  store::Records& records_;
  const std::uint64_t idle_timeout_ms_;
  StoreTrouble trouble_;
};

// The value of a record, and what it says; nothing: it is none, or one of a version that we do not speak.
std::string session_text(const Session::Record& record);
std::optional<Session::Record> read_session(std::string_view text);

}  // namespace collet::protocol
