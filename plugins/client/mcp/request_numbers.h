// The numbers of requests. Each part of this client counts for itself, apart from all others; numbers are small while small ones
// last, since some servers know no larger ones than 32 bits have, and exact as doubles always.
#pragma once

#include "client/mcp/transport.h"

namespace collet::client {

class RequestNumbers {
 public:
  static constexpr unsigned kOwn = 0;  // the part of the client's thread; the next ones are those of the host's loops

  explicit RequestNumbers(unsigned part) : part_(part) {}

  RequestId next() { return number(++count_); }
  RequestId peek() const { return number(count_ + 1); }
  static unsigned part_of(RequestId id) {
    return static_cast<unsigned>(id < kLarge ? id >> kSmallBits : (id >> kLargeBits) - 1);
  }
  // Whether one of the host's loops has made it.
  static bool is_of_loop(RequestId id) { return part_of(id) != kOwn; }

 private:
  static constexpr unsigned kSmallBits = 23, kLargeBits = 43;
  static constexpr unsigned kSmallPartsMax = 1u << (31 - kSmallBits);
  static constexpr RequestId kLarge = RequestId{1} << kLargeBits;

  RequestId number(std::uint64_t count) const {
    const bool small = part_ < kSmallPartsMax && count >> kSmallBits == 0;
    return small ? RequestId{part_} << kSmallBits | count : ((RequestId{part_} + 1) << kLargeBits) + count;
  }

  const unsigned part_;
  std::uint64_t count_ = 0;
};

}  // namespace collet::client
