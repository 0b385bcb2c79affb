// A server-sent event stream: the same events, id, pause and failure however the bytes are split, and no event that
// is larger than it may be. The first byte says how many of the next ones are the sizes of pieces.
#include "client/event_stream.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "require.h"

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
  if (size == 0) return 0;
  const std::size_t pieces = std::min<std::size_t>(data[0] % 8, size - 1);
  const std::vector<std::uint8_t> sizes(data + 1, data + 1 + pieces);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1 + pieces, size - 1 - pieces);
  const Outcome whole = feed(bytes, {});
  require(feed(bytes, {0}) == whole);
  require(feed(bytes, sizes) == whole);
  return 0;
}
