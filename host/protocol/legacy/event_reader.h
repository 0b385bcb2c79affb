// A legacy client's GET: sends a log of its session as events, what is there and what comes.
#pragma once

#include <cstdint>

#include "protocol/held_open.h"
#include "protocol/legacy/session.h"

namespace collet::protocol {

class ServerLoop;

// Until the client leaves or the log is over.
class EventReader final : public HeldOpen {
 public:
  // What the client is given: events with ids, to come back to; or (2024-11-05) the whole session on this one
  // stream, which ends with it.
  enum class Style : std::uint8_t { resumable, whole_session };
  // Begins behind `position`. The reply streams already.
  EventReader(ServerLoop& loop, std::uint64_t serial, transport::HttpReply& reply, SessionPtr session,
              EventLogPtr log, std::uint64_t position, Style style);
  ~EventReader() override;

  // Sends what there is, as far as the client takes it.
  void look() override { send(); }
  bool is_endless() const override { return true; }

  void on_gone() override;
  void on_sent() override { send(); }

 private:
  void send();
  void send(const EventLog::Event& event);

  ServerLoop& loop_;
  const std::uint64_t serial_;
  transport::HttpReply* reply_;
  const SessionPtr session_;
  const EventLogPtr log_;
  std::uint64_t position_;
  const Style style_;
  const std::uint64_t reader_;
};

// Sends a log of the session over a reply, from behind `position`; a server that ends its streams ends this one at once.
void open_reader(ServerLoop& loop, transport::HttpReply& reply, SessionPtr session, EventLogPtr log, std::uint64_t position,
                 EventReader::Style style);

}  // namespace collet::protocol
