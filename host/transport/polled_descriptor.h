// A borrowed descriptor that libuv watches, if it is one that can be watched. It may be non-blocking meanwhile, and is left
// as it was found, since it may be shared with a process that has not asked for that. Loop thread.
#pragma once

#include <uv.h>

namespace collet::transport {

class PolledDescriptor {
 public:
  // Notes how the descriptor is: of two that may be of the same file, both are made before one is opened.
  explicit PolledDescriptor(int descriptor);
  PolledDescriptor(const PolledDescriptor&) = delete;
  PolledDescriptor& operator=(const PolledDescriptor&) = delete;

  // The handle's `data` is `owner` in each callback.
  void open(uv_loop_t* loop, void* owner);
  // False: a file, or a device, or it is not open.
  bool can_be_polled() const { return pollable_; }
  int get() const { return descriptor_; }

  // Only if it can be polled. close() is called once, and this object lasts until `closed` is called.
  void start(int events, uv_poll_cb ready) { uv_poll_start(&poll_, events, ready); }
  void stop() { uv_poll_stop(&poll_); }
  void close(uv_close_cb closed) { uv_close(reinterpret_cast<uv_handle_t*>(&poll_), closed); }

  // Leaves it as it was.
  void restore();

 private:
  const int descriptor_;
  const int flags_;
  bool pollable_ = false;
  uv_poll_t poll_;
};

}  // namespace collet::transport
