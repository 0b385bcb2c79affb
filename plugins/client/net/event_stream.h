// Reads a server-sent event stream (WHATWG HTML, 9.2) from pieces of any size.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "client/limits.h"
#include "client/net/result.h"

namespace collet::client {

struct Event {
  std::string_view type;  // "message" unless the stream says otherwise
  std::string_view data;
};

class EventStream {
 public:
  using OnEvent = std::function<void(const Event&)>;

  // `bytes_max`: of one event, and of one line.
  explicit EventStream(std::size_t bytes_max = limits::kMessageBytesMax) : bytes_max_(bytes_max) {}

  // Calls `on_event` for each event that is complete. Fails, from then on always, once the stream breaks a bound.
  // `on_event` must not destroy this.
  Result<void> feed(std::string_view bytes, const OnEvent& on_event);

  // Of the last event that had one; empty: the stream cannot be resumed.
  const std::string& last_id() const { return id_; }
  // What the stream says of the time until one should reconnect.
  std::optional<std::uint64_t> retry_ms() const { return retry_ms_; }
  // It goes on behind an event that was read elsewhere.
  void go_on_behind(std::string id, std::optional<std::uint64_t> retry_ms) {
    id_ = std::move(id);
    retry_ms_ = retry_ms;
  }
  // A new connection continues the stream: what was cut off is forgotten, id and retry stay.
  void restart();

 private:
  void take_line(std::string_view line, const OnEvent& on_event);
  void dispatch(const OnEvent& on_event);

  const std::size_t bytes_max_;
  std::string line_;  // the beginning of a line whose end has not come
  std::string type_;
  std::string data_;
  std::string id_;
  std::optional<std::uint64_t> retry_ms_;
  bool has_data_ = false;
  bool after_cr_ = false;  // a line feed that comes next belongs to the line before
  bool at_start_ = true;   // a byte order mark may come
  bool broken_ = false;
};

}  // namespace collet::client
