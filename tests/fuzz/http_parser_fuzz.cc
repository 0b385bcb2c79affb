// Whatever the bytes are, and however they are split: the same requests, the same failure, nothing read or written
// out of bounds.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/assert.h"
#include "transport/http_parser.h"

using namespace collet::transport;

namespace {

struct Outcome {
  std::string requests;
  int error = 0;
  std::size_t left = 0;  // bytes of an incomplete request; only whether there are any

  bool operator==(const Outcome&) const = default;
};

void describe(HttpParser& parser, std::string& out) {
  const HttpRequest& request = parser.request();
  const auto add = [&out](std::string_view text) { out.append(text).append(1, '\0'); };
  add(request.method);
  add(request.path);
  add(request.query);
  add(request.host);
  for (const Header& header : request.headers) {
    COLLET_ASSERT(request.repeats || request.count(header.name) == 1);
    add(header.name);
    add(header.value);
    add(request.stated(header.name).value);
  }
  add(request.body);
  add(parser.keep_alive() ? "keep" : "close");
}

// Feeds `bytes` in pieces whose sizes come from `sizes`, each call in a buffer of its own.
Outcome feed(const std::string& bytes, const std::vector<std::uint8_t>& sizes) {
  HttpLimits limits;
  limits.header_bytes_max = 600;
  limits.target_bytes_max = 100;
  limits.header_count_max = 8;
  limits.body_bytes_max = 300;
  Outcome outcome;
  HttpParser parser(limits);
  std::vector<char> kept;
  std::size_t piece = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t wanted = sizes.empty() ? bytes.size() : 1u + sizes[piece++ % sizes.size()];
    const std::string part = bytes.substr(at, wanted);
    at += part.size();
    std::vector<char> buffer(kept);
    buffer.insert(buffer.end(), part.begin(), part.end());
    std::size_t used = 0;
    std::size_t size = buffer.size();
    while (used < size) {
      std::size_t left = size - used;
      const HttpParser::Status status = parser.parse(buffer.data() + used, left);
      COLLET_ASSERT(left <= size - used);
      size = used + left;
      if (status == HttpParser::Status::need_more) break;
      if (status == HttpParser::Status::failed) {
        outcome.error = parser.error_status();
        COLLET_ASSERT(outcome.error >= 400 && outcome.error < 600);
        for (const Header& header : parser.salvage({buffer.data() + used, left}).headers) {
          COLLET_ASSERT(header.name.size() + header.value.size() <= left);
        }
        return outcome;
      }
      COLLET_ASSERT(parser.consumed() > 0 && parser.consumed() <= left);
      describe(parser, outcome.requests);
      used += parser.consumed();
      parser.reset();
    }
    kept.assign(buffer.data() + used, buffer.data() + size);
  }
  outcome.left = kept.empty() ? 0 : 1;
  return outcome;
}

constexpr const char* kBeginnings[] = {
    "",
    "POST / HTTP/1.1\r\nHost: a\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
};

}  // namespace

// The first byte says what stands before the input, so that the fuzzer need not find a request line first, and how
// many of the next bytes are the sizes of pieces.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t pieces = std::min<std::size_t>(data[0] % 8, size - 1);
  const std::vector<std::uint8_t> sizes(data + 1, data + 1 + pieces);
  std::string bytes = kBeginnings[data[0] / 8 % 4];
  bytes.append(reinterpret_cast<const char*>(data) + 1 + pieces, size - 1 - pieces);
  const Outcome whole = feed(bytes, {});
  COLLET_ASSERT(feed(bytes, {0}) == whole);
  COLLET_ASSERT(feed(bytes, sizes) == whole);
  return 0;
}
