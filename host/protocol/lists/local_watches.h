// The resources that clients of this process watch.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "protocol/lists/watches.h"

namespace collet::protocol {

// Counts them. Any thread.
class LocalWatches final : public Watches {
 public:
  // Told of the first who watches a resource, and that the last one has stopped; in order. May be empty.
  using OnChange = std::function<void(std::string_view uri, bool watched)>;

  explicit LocalWatches(OnChange on_change) : state_(std::make_shared<State>(std::move(on_change))) {}

  // Null without an `on_change`: nothing is counted.
  Watch add(std::string uri) override;

 private:
  struct State {
    explicit State(OnChange on_change_) : on_change(std::move(on_change_)) {}
    void count(const std::string& uri, int by);

    const OnChange on_change;
    std::mutex mutex;  // guards all below; held while on_change runs
    std::map<std::string, unsigned> watchers;
  };
  std::shared_ptr<State> state_;  // shared with those watches that are still open
};

}  // namespace collet::protocol
