#include "transport/line_writer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

namespace collet::transport {
namespace {

constexpr std::size_t kPiecesMax = 15;  // written by one call without being joined first

}  // namespace

bool LineWriter::write(std::span<const std::string_view> pieces) {
  std::array<iovec, kPiecesMax + 1> vector;
  std::string joined;
  if (pieces.size() > kPiecesMax) {
    for (const std::string_view piece : pieces) joined.append(piece);
  }
  const std::string_view whole = joined;
  if (pieces.size() > kPiecesMax) pieces = {&whole, 1};
  std::size_t count = 0;
  for (const std::string_view piece : pieces) vector[count++] = {const_cast<char*>(piece.data()), piece.size()};
  char line_end = '\n';
  vector[count++] = {&line_end, 1};

  const std::optional<std::size_t> taken = waits() ? 0 : write_now({vector.data(), count});
  if (!taken) return false;
  std::size_t sent = *taken;
  for (const iovec& piece : std::span(vector.data(), count)) {
    const std::size_t skipped = std::min(sent, piece.iov_len);
    sent -= skipped;
    waiting_.append({static_cast<const char*>(piece.iov_base) + skipped, piece.iov_len - skipped});
  }
  return true;
}

bool LineWriter::write_waiting() {
  std::array<std::string_view, kPiecesMax> front;
  std::array<iovec, kPiecesMax> vector;
  const std::size_t count = waiting_.front(front);
  for (std::size_t i = 0; i < count; ++i) vector[i] = {const_cast<char*>(front[i].data()), front[i].size()};
  const std::optional<std::size_t> taken = write_now({vector.data(), count});
  if (!taken) return false;
  waiting_.drop(*taken);
  return true;
}

// How many bytes were taken, or none if nobody takes any. A file takes them all.
std::optional<std::size_t> LineWriter::write_now(std::span<const iovec> pieces) {
  for (;;) {
    const ssize_t bytes = ::writev(descriptor_, pieces.data(), static_cast<int>(pieces.size()));
    if (bytes >= 0) {
      taken_ += static_cast<std::uint64_t>(bytes);
      return static_cast<std::size_t>(bytes);
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return std::nullopt;
    return 0;
  }
}

void LineWriter::give_up() {
  given_up_ = true;
  lost_lines_ = undelivered();
  waiting_.clear();
}

std::size_t LineWriter::undelivered() const {
  std::size_t lines = lost_lines_;
  waiting_.each([&](std::string_view bytes) { lines += static_cast<std::size_t>(std::ranges::count(bytes, '\n')); });
  return lines;
}

}  // namespace collet::transport
