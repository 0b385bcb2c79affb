#include "worker/talk/frame.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace collet::worker {
namespace {

constexpr std::uint32_t kAbsent = 0xffffffff;  // the size of a text that is not there

}  // namespace

FrameWriter::FrameWriter(std::string& out, FrameType type, std::uint64_t id) : out_(out), start_(out.size()) {
  FrameHead head;
  head.type = type;
  head.id = id;
  out_.append(reinterpret_cast<const char*>(&head), sizeof head);
}

FrameWriter::~FrameWriter() {
  const auto size = static_cast<std::uint32_t>(body_size());
  std::memcpy(out_.data() + start_ + offsetof(FrameHead, size), &size, sizeof size);
}

FieldWriter& FieldWriter::text_or_nothing(const std::optional<std::string_view>& given) {
  return given ? text(*given) : number(kAbsent);
}

FrameWriter& FrameWriter::text_or_nothing(const std::optional<std::string_view>& given) {
  FieldWriter(out_).text_or_nothing(given);
  return *this;
}

std::optional<std::string_view> FieldReader::text_or_nothing() {
  const auto size = number<std::uint32_t>();
  if (bad_ || size == kAbsent) return std::nullopt;
  if (size > rest_.size()) {
    bad_ = true;
    return std::nullopt;
  }
  const std::string_view text = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return text;
}

std::string_view FieldReader::text() {
  const auto text = text_or_nothing();
  if (!text) bad_ = true;
  return text.value_or(std::string_view());
}

char* FrameBuffer::room(std::size_t& size) {
  if (begin_ > 0) {
    std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  std::size_t wanted = end_ + limits::kWorkerReadBytes;
  if (end_ >= sizeof(FrameHead)) {
    FrameHead head;
    std::memcpy(&head, bytes_.data(), sizeof head);
    wanted = std::max(wanted, std::min(sizeof head + head.size, bytes_.size() * 2));  // as it comes, not as it says
  }
  constexpr std::size_t kKept = 4 * limits::kWorkerReadBytes;
  if (bytes_.size() < wanted || (bytes_.size() > kKept && wanted <= kKept)) {
    bytes_.resize(wanted);
    bytes_.shrink_to_fit();
  }
  size = bytes_.size() - end_;
  return bytes_.data() + end_;
}

std::optional<FrameBuffer::Frame> FrameBuffer::next() {
  Frame frame;
  const std::size_t available = end_ - begin_;
  if (broken_ || available < sizeof frame.head) return std::nullopt;
  std::memcpy(&frame.head, bytes_.data() + begin_, sizeof frame.head);
  broken_ = frame.head.size > limits::kWorkerFrameBytesMax;
  if (broken_ || available - sizeof frame.head < frame.head.size) return std::nullopt;
  frame.body = {bytes_.data() + begin_ + sizeof frame.head, frame.head.size};
  begin_ += sizeof frame.head + frame.head.size;
  return frame;
}

}  // namespace collet::worker
