#include "protocol/legacy/event_log.h"

#include <fmt/core.h>

#include <charconv>

namespace collet::protocol {

std::optional<EventId> EventId::parse(std::string_view text) {
  EventId id;
  const char* const end = text.data() + text.size();
  const auto log = std::from_chars(text.data(), end, id.log);
  if (log.ec != std::errc() || log.ptr == end || *log.ptr != '-') return std::nullopt;
  const auto event = std::from_chars(log.ptr + 1, end, id.event);
  if (event.ec != std::errc() || event.ptr != end) return std::nullopt;
  return id;
}

std::string EventId::text() const { return fmt::format("{}-{}", log, event); }

}  // namespace collet::protocol
