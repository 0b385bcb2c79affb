// Where the connections of a loop gather what they are about to send, one at a time: an idle one has no buffer of its own.
// Loop thread.
#pragma once

#include <string>

namespace collet::transport {

class HttpOutput;

class OutputBuffer {
 public:
  // The buffer, for that output to gather in. Taking it sends what another has left there.
  std::string& of(HttpOutput& output);
  // What that output has gathered, or null; it is nobody's afterwards, and lasts until of() is called.
  std::string* release(HttpOutput& output);

  std::string encrypted;  // over TLS: about to be sent

 private:
  std::string gathered_;
  HttpOutput* owner_ = nullptr;
};

}  // namespace collet::transport
