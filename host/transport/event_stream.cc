#include "transport/event_stream.h"

#include <charconv>

namespace collet::transport::events {
namespace {

constexpr std::string_view kField = "data: ";
constexpr std::string_view kEnd = "\n\n";

void append_chunk_size(std::string& out, std::size_t bytes) {
  char digits[16];
  out.append(digits, std::to_chars(digits, digits + sizeof(digits), bytes, 16).ptr).append("\r\n");
}

}  // namespace

void append_prefix(std::string& out, std::string_view fields, std::size_t data_bytes, bool chunked) {
  if (chunked) append_chunk_size(out, fields.size() + kField.size() + data_bytes + kEnd.size());
  out.append(fields).append(kField);
}

std::string_view suffix(bool chunked) { return chunked ? "\n\n\r\n" : kEnd; }

void append_comment(std::string& out, bool chunked) {
  if (chunked) append_chunk_size(out, kCommentText.size());
  out.append(kCommentText);
  if (chunked) out.append("\r\n");
}

std::string_view last_chunk() { return "0\r\n\r\n"; }

bool has_line_breaks(std::string_view data) { return data.find('\n') != data.npos || data.find('\r') != data.npos; }

std::string fold_lines(std::string_view data) {
  std::string folded;
  folded.reserve(data.size() + 64);
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (data[i] != '\n' && data[i] != '\r') {
      folded += data[i];
      continue;
    }
    if (data[i] == '\r' && i + 1 < data.size() && data[i + 1] == '\n') ++i;
    folded.append("\n").append(kField);
  }
  return folded;
}

}  // namespace collet::transport::events
