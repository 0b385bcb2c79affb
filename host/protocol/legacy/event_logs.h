// Where the streams of legacy sessions are kept.
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/legacy/event_log.h"

namespace collet::protocol {

class EventLogs {
 public:
  // Which log: no other has the same session and number.
  struct Name {
    std::string_view owner;    // the id of the principal who has opened the session; empty: nobody was asked
    std::string_view session;  // its id; empty: that of the standard streams
    std::uint64_t number = 0;  // among the streams of the session; later ones have larger numbers
  };

  virtual ~EventLogs() = default;

  // [any] A new log, without events; outlived by this. Comes with the session's lock: it must not block.
  virtual EventLogPtr open(const Name& name) = 0;
};

}  // namespace collet::protocol
