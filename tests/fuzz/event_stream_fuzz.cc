// A server-sent event stream: the same events, id, pause and failure however the bytes are split, and no event that
// is larger than it may be.
#include "client/net/event_stream.h"

#include <cstdint>
#include <vector>

#include "pieces.h"

using namespace collet::client;

namespace {

constexpr std::size_t kBytesMax = 40;

struct Outcome {
  std::string events;
  std::string id;
  std::optional<std::uint64_t> retry_ms;
  bool failed = false;

  bool operator==(const Outcome&) const = default;
};

Outcome feed(std::string_view bytes, const std::vector<std::uint8_t>& sizes) {
  EventStream stream(kBytesMax);
  Outcome outcome;
  const auto note = [&outcome](const Event& event) {
    require(!event.type.empty() && event.data.size() <= kBytesMax);
    outcome.events.append(event.type).append(1, '\0').append(event.data).append(1, '\0');
  };
  for (std::size_t piece = 0; !bytes.empty(); ++piece) {
    const std::size_t wanted = sizes.empty() ? bytes.size() : 1u + sizes[piece % sizes.size()];
    const std::string part(bytes.substr(0, wanted));  // a buffer of its own
    bytes.remove_prefix(part.size());
    const bool good = stream.feed(part, note).ok();
    require(!good || !outcome.failed);
    outcome.failed = !good;
  }
  outcome.id = stream.last_id();
  outcome.retry_ms = stream.retry_ms();
  require(outcome.id.size() <= limits::kEventStreamIdBytesMax);
  require(outcome.retry_ms.value_or(0) <= limits::kRetryMsMax);
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return same_in_any_pieces(data, size, feed);
}
