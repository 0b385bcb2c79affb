#include "transport/http_input.h"

#include <algorithm>
#include <cstring>

namespace collet::transport {
namespace {

constexpr std::size_t kHeaderReadBytes = 4u << 10;
constexpr std::size_t kRoomBeforeTheRest = 4;  // times what is there of a request whose size is known; it is counted to whoever sends it

}  // namespace

void HttpInput::describe_sender(HttpRequest& request) const {
  request.client = hold_.client();
  request.known = known_.get();
}

bool HttpInput::count_to(HttpSender&& sender) {
  known_ = std::move(sender.known);
  return sender.client == address_ || hold_.pass_to(sender.client);
}

bool HttpInput::is_large() const {
  return kept_->parser.header_complete() && std::max(kept_->size, kept_->parser.size_hint()) > kLargeRequestBytes;
}

bool HttpInput::keep(HttpParser&& parser, std::span<const char> bytes) {
  kept_ = std::make_unique<Kept>(std::move(parser));
  if (!make_room(bytes.size())) return false;
  std::memcpy(kept_->bytes.get(), bytes.data(), bytes.size());
  kept_->size = bytes.size();
  return true;
}

std::span<char> HttpInput::space(std::size_t bytes_max) {
  const std::size_t hint = kept_->parser.size_hint();
  const std::size_t wanted = hint > kept_->size ? hint - kept_->size : kHeaderReadBytes;
  if (!make_room(std::min(wanted, bytes_max))) return {};
  return {kept_->bytes.get() + kept_->size, kept_->capacity - kept_->size};
}

void HttpInput::keep_rest(std::span<const char> rest) {
  kept_->size = rest.size();
  std::memmove(kept_->bytes.get(), rest.data(), rest.size());
}

void HttpInput::drop_all() {
  kept_.reset();
  hold_.shrink(0);
}

void HttpInput::let_go() {
  hold_.shrink(kept_ ? kept_->capacity : 0);
  if (!kept_) static_cast<void>(hold_.pass_to(address_));  // whoever is next
}

bool HttpInput::make_room(std::size_t free_bytes) {
  if (!hold_.grow(kept_->capacity_for(free_bytes))) return false;
  kept_->reserve(free_bytes);
  return true;
}

std::size_t HttpInput::Kept::capacity_for(std::size_t free_bytes) const {
  if (capacity - size >= free_bytes) return capacity;
  const std::size_t needed = size + free_bytes;
  const std::size_t hint = parser.size_hint();
  if (hint > needed) return std::min(hint, needed * kRoomBeforeTheRest);
  return hint > size ? hint : std::max(needed, size + size / 2);
}

void HttpInput::Kept::reserve(std::size_t free_bytes) {
  const std::size_t grown = capacity_for(free_bytes);
  if (grown == capacity) return;
  auto larger = std::make_unique_for_overwrite<char[]>(grown);
  if (size > 0) std::memcpy(larger.get(), bytes.get(), size);
  bytes = std::move(larger);
  capacity = grown;
}

}  // namespace collet::transport
