// The client at the other end of the standard streams.
#pragma once

#include <string_view>

#include "protocol/legacy/session.h"

namespace collet::protocol {

class StdioClient {
 public:
  // One complete message.
  virtual void send(std::string_view message) = 0;
  virtual Session& session() = 0;

 protected:
  ~StdioClient() = default;
};

}  // namespace collet::protocol
