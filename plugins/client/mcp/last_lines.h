// The last that a child has written to stderr, which mostly says why it has ended.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "client/limits.h"
#include "client/mcp/message.h"

namespace collet::client {

class LastLines {
 public:
  void clear() { lines_.clear(); }
  void add(std::string_view line) {
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
    lines_.push_back(to_utf8(line.substr(0, limits::kLastLineBytesMax)));
    if (lines_.size() > limits::kLastLinesMax) lines_.pop_front();
  }
  // Behind what is known otherwise.
  std::string after(std::string why) const {
    if (lines_.empty()) return why;
    why += "; the last that it wrote to stderr: ";
    for (const std::string& line : lines_) {
      if (&line != &lines_.front()) why += " | ";
      why += line;
    }
    return why;
  }

 private:
  std::deque<std::string> lines_;
};

}  // namespace collet::client
