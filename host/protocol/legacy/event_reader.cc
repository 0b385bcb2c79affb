#include "protocol/legacy/event_reader.h"

#include "protocol/server.h"
#include "protocol/server_loop.h"

namespace collet::protocol {

EventReader::EventReader(ServerLoop& loop, std::uint64_t serial, transport::HttpReply& reply, SessionPtr session,
                         EventLogPtr log, std::uint64_t position, Style style)
    : loop_(loop),
      serial_(serial),
      reply_(&reply),
      session_(std::move(session)),
      log_(std::move(log)),
      position_(position),
      style_(style),
      reader_(log_->attach(loop.waker(serial))) {
  reply.observe(this);
}

EventReader::~EventReader() {
  log_->detach(reader_);
  if (style_ == Style::whole_session) loop_.server().sessions().remove(*session_);
  if (reply_) reply_->end();
}

// The log keeps what a slow client has not taken: on_sent() goes on.
void EventReader::send() {
  bool over = false;
  while (!over && reply_->room() > 0) {
    const EventLog::Reading reading = log_->read(reader_, position_, reply_->room());
    for (const EventLog::Event& event : reading.events) send(event);
    if (style_ == Style::whole_session) log_->forget(position_);
    over = reading.over;
    if (reading.events.empty()) break;
  }
  if (over) loop_.held_open().let_go(serial_);
}

void EventReader::send(const EventLog::Event& event) {
  position_ = event.number;
  if (style_ == Style::resumable) {
    reply_->event(event.message, {.id = EventId{log_->number(), position_}.text()});
  } else {
    reply_->event(event.message);
  }
}

void EventReader::on_gone() {
  reply_ = nullptr;
  loop_.held_open().let_go(serial_);
}

void open_reader(ServerLoop& loop, transport::HttpReply& reply, SessionPtr session, EventLogPtr log, std::uint64_t position,
                 EventReader::Style style) {
  if (loop.held_open().ends_streams()) {
    if (style == EventReader::Style::whole_session) loop.server().sessions().remove(*session);
    return reply.end();
  }
  const std::uint64_t serial = loop.next_serial();
  auto reader =
      std::make_unique<EventReader>(loop, serial, reply, std::move(session), std::move(log), position, style);
  loop.held_open().hold(serial, std::move(reader)).look();
}

}  // namespace collet::protocol
