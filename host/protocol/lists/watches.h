// Which resources clients watch, over all loops and both eras.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace collet::protocol {

// As long as this lives, somebody watches a resource.
using Watch = std::shared_ptr<const void>;  // owned by each who watches

// Any thread.
class Watches {
 public:
  // Told of the first who watches a resource, and that the last one has stopped; in order. May be empty.
  using OnChange = std::function<void(std::string_view uri, bool watched)>;

  explicit Watches(OnChange on_change) : state_(std::make_shared<State>(std::move(on_change))) {}

  Watch add(std::string uri);

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
