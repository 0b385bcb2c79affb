// A page of a stream, read as soon as there is an event for it.
#pragma once

#include <memory>
#include <mutex>

#include "store/streams.h"

namespace collet::store {

// Any thread.
class AwaitedPage : public std::enable_shared_from_this<AwaitedPage> {  // shared by its owner and a read that is under way
 public:
  // `then` is called once, unless stop() is called before: perhaps before this returns, and under a lock. It is also called if the stream
  // has not come to `after`, or cannot be read. `streams` is borrowed for good.
  static std::shared_ptr<AwaitedPage> begin(Streams& streams, StreamName name, std::uint64_t after, std::uint32_t events_max,
                                            Streams::Read then);
  ~AwaitedPage();

  // When this has returned `then` is not called any more. Not from there.
  void stop();

 private:
  AwaitedPage(Streams& streams, StreamName name, std::uint64_t after, std::uint32_t events_max, Streams::Read then);
  void on_news();
  void read();
  void on_page(Streams::Page page);
  bool take(Streams::Page& page);

  Streams& streams_;
  const StreamName name_;
  const std::uint32_t events_max_;
  std::uint64_t watch_ = 0;

  std::mutex mutex_;  // guards all below, also while `then` runs
  std::uint64_t after_;
  Streams::Read then_;
  bool reading_ = true;
  bool news_ = false;  // since it was begun to be read
};

}  // namespace collet::store
