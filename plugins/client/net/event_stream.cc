#include "client/net/event_stream.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace collet::client {

void EventStream::restart() {
  line_.clear();
  type_.clear();
  data_.clear();
  has_data_ = after_cr_ = broken_ = false;
  at_start_ = true;
}

Result<void> EventStream::feed(std::string_view bytes, const OnEvent& on_event) {
  while (!bytes.empty() && !broken_) {
    if (std::exchange(after_cr_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const std::size_t end = bytes.find_first_of("\r\n");
    if (end == std::string_view::npos) {
      line_ += bytes;
      broken_ = line_.size() > bytes_max_;
      break;
    }
    broken_ = line_.size() + end + data_.size() > bytes_max_;
    if (broken_) break;
    if (line_.empty()) {
      take_line(bytes.substr(0, end), on_event);
    } else {
      line_ += bytes.substr(0, end);
      take_line(line_, on_event);
      line_.clear();
    }
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
  }
  if (broken_) return Error{"an event of its stream has more than " + std::to_string(bytes_max_) + " bytes"};
  return {};
}

void EventStream::take_line(std::string_view line, const OnEvent& on_event) {
  if (std::exchange(at_start_, false) && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  if (line.empty()) return dispatch(on_event);
  const std::size_t colon = line.find(':');
  const std::string_view field = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "data") {
    if (std::exchange(has_data_, true)) data_ += '\n';
    data_ += value;
  } else if (field == "event") {
    type_ = value;
  } else if (field == "id") {
    if (value.find('\0') == value.npos && value.size() <= limits::kEventStreamIdBytesMax) id_ = value;
  } else if (field == "retry") {
    std::uint64_t ms = 0;
    const auto [rest, bad] = std::from_chars(value.data(), value.data() + value.size(), ms);
    if (bad == std::errc() && rest == value.data() + value.size()) retry_ms_ = std::min(ms, limits::kRetryMsMax);
  }
}

void EventStream::dispatch(const OnEvent& on_event) {
  const bool has_data = std::exchange(has_data_, false);
  const std::string type = std::exchange(type_, {});
  if (has_data) on_event({type.empty() ? std::string_view("message") : type, data_});
  data_.clear();
}

}  // namespace collet::client
