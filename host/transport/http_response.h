// The head of an HTTP/1.1 response, as bytes.
#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

namespace collet::transport {

// What every answer begins with, whatever its status.
inline constexpr std::string_view kAnswerBegin = "HTTP/1.1 ";
// "HTTP/1.1 200 OK\r\n"
void append_status_line(std::string& out, int status);
// Control characters in `value` become blanks, so that a value cannot add a field or end the head.
void append_field(std::string& out, std::string_view name, std::string_view value);
void append_content_length(std::string& out, std::size_t bytes);
// RFC 9110 §15: 1xx, 204 and 304 have neither body nor Content-Length.
bool status_has_body(int status);
std::string_view reason_phrase(int status);

// The Date field, made anew once a second.
class DateField {
 public:
  // "Date: Fri, 20 Nov 2026 22:43:25 GMT\r\n"
  std::string_view line();

 private:
  std::time_t second_ = -1;
  char line_[64];
  std::size_t bytes_ = 0;
};

}  // namespace collet::transport
