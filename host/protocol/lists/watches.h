// Which resources clients watch, over all loops and both eras.
#pragma once

#include <memory>
#include <string>

namespace collet::protocol {

// As long as this lives, somebody watches a resource.
using Watch = std::shared_ptr<const void>;  // owned by each who watches

// Who needs to know that a resource is watched: this process, or a place that several processes share.
class Watches {
 public:
  virtual ~Watches() = default;

  // [any] A client watches that resource until the watch ends, which may be on any thread, under the locks of whoever owns it, and
  // after this has been destroyed: neither beginning nor end may block. Null: nobody needs to know.
  virtual Watch add(std::string uri) = 0;
};

}  // namespace collet::protocol
