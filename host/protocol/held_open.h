// What a client holds open on a loop beyond the turn in which it has asked for it: a stream, or an answer that it waits for.
#pragma once

#include <string_view>

#include "mcp/kinds.h"
#include "registry/principal.h"
#include "transport/http.h"

namespace collet::protocol {

// Owned by its loop under a serial, until it has itself let go or the loop lets go of it. Loop thread.
class HeldOpen : public transport::HttpReplyObserver {
 public:
  virtual ~HeldOpen() = default;

  // What it waits for may have come. May end it.
  virtual void look() = 0;
  // Its client wants it no longer, and has said so by a message. May end it.
  virtual void cancel() {}
  // Whether it never ends by itself, so that a server that ends must end it.
  virtual bool is_endless() const = 0;

  // A list has changed, perhaps several times, for those who see all of it.
  virtual void list_changed(const mcp::ChangingList&, bool /*several*/) {}
  // The resource with that normal spelling has.
  virtual void resource_updated(std::string_view /*key*/) {}
  // Whether it is one of the streams of which a principal has so many and no more; `principal` is empty for all.
  virtual bool is_subscription_of(std::string_view /*principal*/) const { return false; }
};

}  // namespace collet::protocol
