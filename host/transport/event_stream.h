// Server-sent events (HTML Living Standard §9.2) in the chunked coding.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace collet::transport::events {

inline constexpr std::string_view kCommentText = ": keep-alive\n\n";

// What goes before and after the data of one event; the data itself is sent from where it lies. `fields` are whole
// lines of other fields. `chunked` is false for a client that reads to the end of the connection.
void append_prefix(std::string& out, std::string_view fields, std::size_t data_bytes, bool chunked);
std::string_view suffix(bool chunked);

void append_comment(std::string& out, bool chunked);
std::string_view last_chunk();

bool has_line_breaks(std::string_view data);
// Text with line breaks as the value of several data fields, which a client joins again with \n.
std::string fold_lines(std::string_view data);

}  // namespace collet::transport::events
