// Responses of HTTP/1.1: the same head, body and end however the bytes are split, and nothing that is larger than
// it may be.
#include "client/net/response_reader.h"

#include <cstdint>
#include <vector>

#include "client/limits.h"
#include "pieces.h"

using namespace collet::client;

namespace {

struct Outcome {
  ResponseReader::State state = ResponseReader::State::head;
  std::string head;
  std::string body;
  std::size_t left = 0;  // bytes behind the response
  bool keeps_alive = false;
  bool whole_at_end = false;

  bool operator==(const Outcome&) const = default;
};

Outcome feed(std::string_view bytes, const std::vector<std::uint8_t>& sizes) {
  using State = ResponseReader::State;
  ResponseReader reader;
  reader.restart();
  Outcome outcome;
  for (std::size_t piece = 0; !bytes.empty() && reader.state() < State::whole; ++piece) {
    const std::size_t wanted = sizes.empty() ? bytes.size() : 1u + sizes[piece % sizes.size()];
    const std::string part(bytes.substr(0, wanted));  // a buffer of its own
    std::string_view rest = part;
    reader.feed(rest);
    require(reader.begun());
    require(rest.empty() || reader.state() >= State::whole);
    bytes.remove_prefix(part.size() - rest.size());
  }
  outcome.state = reader.state();
  if (outcome.state == State::broken)
    return {.state = State::broken};  // where it was seen is a matter of the pieces
  outcome.whole_at_end = reader.finish() == State::whole;
  if (outcome.state == State::head) return outcome;
  outcome.left = bytes.size();
  outcome.keeps_alive = reader.keeps_alive();
  outcome.body = reader.body();
  outcome.head = std::to_string(reader.head().status);
  for (const HttpHeader& header : reader.head().headers) outcome.head += '\n' + header.name + ':' + header.value;
  require(outcome.head.size() <= 2 * limits::kHeaderBytesMax && outcome.body.size() <= limits::kMessageBytesMax);
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return same_in_any_pieces(data, size, feed);
}
