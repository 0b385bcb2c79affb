// What passes between Preflight, the parent of its trials, and these: orders to begin one, each with the two files
// that it is about, exit statuses, and reports, which are texts with their lengths before them: two of each library, what it says
// of itself and what is wrong with it.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "plugin/crash/record.h"

namespace collet::plugin::preflight {

inline constexpr int kParentDescriptor = 3;  // of the parent of trials: where orders come from
inline constexpr int kReportDescriptor = 3;  // of a trial
// Of the file that says what is to be tried: behind where the trial records its end.
inline constexpr off_t kRequestOffset = crash::kRecordBytes;
inline constexpr int kReportFailed = 113;    // exit code: the report's descriptor is gone

// An order: what is to be tried, and the pipe for the reports.
class Message {
 public:
  Message() {
    header_.msg_iov = &part_;
    header_.msg_iovlen = 1;
    header_.msg_control = control_;
    header_.msg_controllen = sizeof control_;
  }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;

  void attach(int request, int reports) {
    const int files[] = {request, reports};
    cmsghdr* attached = CMSG_FIRSTHDR(&header_);
    attached->cmsg_level = SOL_SOCKET;
    attached->cmsg_type = SCM_RIGHTS;
    attached->cmsg_len = CMSG_LEN(sizeof files);
    std::memcpy(CMSG_DATA(attached), files, sizeof files);
  }
  // After it has been received.
  bool detach(int& request, int& reports) {
    int files[2];
    const cmsghdr* attached = CMSG_FIRSTHDR(&header_);
    if (!attached || attached->cmsg_len != CMSG_LEN(sizeof files)) return false;
    std::memcpy(files, CMSG_DATA(attached), sizeof files);
    request = files[0];
    reports = files[1];
    return true;
  }
  msghdr* header() { return &header_; }

 private:
  char byte_ = 0;
  iovec part_{&byte_, 1};
  alignas(cmsghdr) char control_[CMSG_SPACE(2 * sizeof(int))] = {};
  msghdr header_{};
};

inline void append_frame(std::string& out, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  out += text;
}

// Takes one text off the front; nothing if it is not there in full.
inline std::optional<std::string_view> take_frame(std::string_view& rest) {
  std::uint32_t size;
  if (rest.size() < sizeof size) return std::nullopt;
  std::memcpy(&size, rest.data(), sizeof size);
  if (rest.size() - sizeof size < size) return std::nullopt;
  const std::string_view text = rest.substr(sizeof size, size);
  rest.remove_prefix(sizeof size + size);
  return text;
}

}  // namespace collet::plugin::preflight
