#include "transport/line_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace collet::transport {
namespace {

constexpr std::size_t kReadBytes = 64u << 10;

}  // namespace

LineBuffer::LineBuffer(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) { make_room(); }

std::span<char> LineBuffer::space() {
  make_room();
  return {bytes_.get() + size_, capacity_ - size_};
}

// Moves an unfinished line to the front and makes sure that something can be read behind it.
void LineBuffer::make_room() {
  if (begin_ > 0) {
    std::memmove(bytes_.get(), bytes_.get() + begin_, size_ - begin_);
    size_ -= begin_;
    scanned_ -= begin_;
    begin_ = 0;
  }
  if (size_ == 0 && capacity_ > 4 * kReadBytes) capacity_ = 0;  // a large line has passed
  if (capacity_ - size_ >= kReadBytes / 2) return;
  const std::size_t grown = std::max(kReadBytes, size_ * 2);
  auto larger = std::make_unique_for_overwrite<char[]>(grown);
  if (size_ > 0) std::memcpy(larger.get(), bytes_.get(), size_);
  bytes_ = std::move(larger);
  capacity_ = grown;
}

std::optional<LineBuffer::Line> LineBuffer::next() {
  for (;;) {
    const char* start = bytes_.get() + begin_;
    const char* end = static_cast<const char*>(std::memchr(bytes_.get() + scanned_, '\n', size_ - scanned_));
    if (!end) {
      scanned_ = size_;
      return std::nullopt;
    }
    begin_ = scanned_ = static_cast<std::size_t>(end + 1 - bytes_.get());
    if (const auto found = line({start, static_cast<std::size_t>(end - start)})) return found;
  }
}

std::optional<LineBuffer::Line> LineBuffer::rest() {
  const std::string_view unread(bytes_.get() + begin_, size_ - begin_);
  begin_ = size_;
  return line(unread);
}

std::optional<LineBuffer::Line> LineBuffer::line(std::string_view text) {
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (std::exchange(skipping_, false) || text.size() > line_bytes_max_) return Line{text, true};
  if (text.empty()) return std::nullopt;
  return Line{text, false};
}

std::optional<std::string_view> LineBuffer::piece() {
  const std::string_view unread(bytes_.get() + begin_, size_ - begin_);
  if (!skipping_ && unread.size() <= line_bytes_max_ + 1) return std::nullopt;  // one more may be \r
  skipping_ = true;
  begin_ = size_;
  return unread;
}

void LineBuffer::drop_rest() {
  const std::string_view unread(bytes_.get() + begin_, size_ - begin_);
  size_ = begin_ + unread.rfind('\n') + 1;  // nothing is left if there is no line end
  scanned_ = std::min(scanned_, size_);
}

}  // namespace collet::transport
