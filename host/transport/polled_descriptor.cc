#include "transport/polled_descriptor.h"

#include <fcntl.h>

namespace collet::transport {

PolledDescriptor::PolledDescriptor(int descriptor) : descriptor_(descriptor), flags_(fcntl(descriptor, F_GETFL)) {}

void PolledDescriptor::open(uv_loop_t* loop, void* owner) {
  pollable_ = uv_poll_init(loop, &poll_, descriptor_) == 0;
  poll_.data = owner;
}

void PolledDescriptor::restore() {
  if (flags_ >= 0) fcntl(descriptor_, F_SETFL, flags_);
}

}  // namespace collet::transport
