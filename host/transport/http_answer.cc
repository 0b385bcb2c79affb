#include "transport/http_answer.h"

#include <fmt/core.h>

#include <string>
#include <utility>

#include "transport/event_stream.h"

namespace collet::transport {
namespace {

// Said although it is the default: there are clients that take an event without a type for one of the type of the
// event before it, or for none of theirs.
constexpr std::string_view kDefaultType = "message";

// An event without data is no message, and clients that have not been told of such events would fail to parse it.
std::string field_lines(const EventFields& fields, bool has_data) {
  std::string lines;
  const std::string_view type = fields.type.empty() && has_data ? kDefaultType : fields.type;
  if (!type.empty()) lines.append("event: ").append(type).append("\n");
  if (!fields.id.empty()) lines.append("id: ").append(fields.id).append("\n");
  if (fields.retry_ms) lines.append("retry: ").append(std::to_string(*fields.retry_ms)).append("\n");
  return lines;
}

}  // namespace

void HttpAnswer::set_request(bool keep_alive, bool http_1_0, bool head) {
  keep_alive_ = keep_alive;
  http_1_0_ = http_1_0;
  head_ = head;
}

void HttpAnswer::append_head(std::string& out, DateField& date, int status, std::span<const Header> headers) {
  const std::size_t start = out.size();
  append_status_line(out, status);
  if (std::exchange(begun_, false)) out.erase(start, kAnswerBegin.size());
  out.append(date.line());
  if (!keep_alive_) {
    out.append("Connection: close\r\n");
  } else if (http_1_0_) {
    out.append("Connection: keep-alive\r\n");
  }
  for (const Header& header : headers) append_field(out, header.name, header.value);
}

void HttpAnswer::respond(HttpOutput& to, DateField& date, int status, std::span<const Header> headers,
                         std::span<const std::string_view> body) {
  std::string& out = to.gathered();
  append_head(out, date, status, headers);
  std::size_t bytes = 0;
  for (const std::string_view piece : body) bytes += piece.size();
  if (status_has_body(status)) append_content_length(out, bytes);
  out.append("\r\n");
  if (status_has_body(status) && !head_) to.put(body, bytes);
}

void HttpAnswer::begin_events(HttpOutput& to, DateField& date, std::span<const Header> headers) {
  events_ = true;
  begin_stream(to, date, 200, headers,
               "Content-Type: text/event-stream\r\n"
               "Cache-Control: no-cache\r\n"
               "X-Accel-Buffering: no\r\n");
}

void HttpAnswer::begin(HttpOutput& to, DateField& date, int status, std::span<const Header> headers) {
  events_ = false;
  begin_stream(to, date, status, headers, {});
}

void HttpAnswer::begin_stream(HttpOutput& to, DateField& date, int status, std::span<const Header> headers,
                              std::string_view more_fields) {
  if (http_1_0_) keep_alive_ = false;
  std::string& out = to.gathered();
  append_head(out, date, status, headers);
  out.append(more_fields);
  out.append(http_1_0_ ? "\r\n" : "Transfer-Encoding: chunked\r\n\r\n");
}

void HttpAnswer::event(HttpOutput& to, std::string_view data, const EventFields& fields) {
  std::string folded;
  if (events::has_line_breaks(data)) data = folded = events::fold_lines(data);
  std::string& out = to.gathered();
  events::append_prefix(out, field_lines(fields, !data.empty()), data.size(), !http_1_0_);
  const std::string_view rest[] = {data, events::suffix(!http_1_0_)};
  to.put(rest, data.size());
}

void HttpAnswer::write(HttpOutput& to, std::string_view bytes) {
  const std::string before = http_1_0_ ? std::string() : fmt::format("{:x}\r\n", bytes.size());
  const std::string_view pieces[] = {before, bytes, http_1_0_ ? "" : "\r\n"};
  to.put(pieces, bytes.size());
}

void HttpAnswer::comment(HttpOutput& to) {
  if (!head_) events::append_comment(to.gathered(), !http_1_0_);
}

void HttpAnswer::end(HttpOutput& to) {
  if (!http_1_0_ && !head_) to.gathered().append(events::last_chunk());
}

void HttpAnswer::begin_early(HttpOutput& to) {
  if (!std::exchange(begun_, true)) to.gathered().append(kAnswerBegin);
}

void HttpAnswer::go_on_early(HttpOutput& to) {
  if (events_ && !head_) {
    events::append_comment(to.gathered(), !http_1_0_);
  } else if (!head_ && !http_1_0_) {
    to.gathered().append("0");  // of the next chunk's size, or the last one's
  }
}

}  // namespace collet::transport
